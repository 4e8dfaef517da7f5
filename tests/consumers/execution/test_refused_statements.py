"""The database refuses statements of Oyez's own for a while: it is away, and no event is to blame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text, update
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Viewed, note, placed
from oyez.consumers import Handlers, NotReady
from oyez.consumers.database import DatabaseAway
from support.tables import NAMES, table_named

EVENTS = range(8)
IMPATIENT = {"options": "-c statement_timeout=150"}


@pytest.fixture
def lookers(pipeline_postgres: str) -> Iterator[Engine]:
    """Another's connections, to be in the way."""
    engine = create_engine(pipeline_postgres)
    yield engine
    engine.dispose()


@contextmanager
def locked(engine: Engine, table: str) -> Iterator[Connection]:
    """As while a table is reindexed."""
    with engine.connect() as db:
        db.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield db


@contextmanager
def full(engine: Engine, table: str) -> Iterator[None]:
    """No row of it can be deleted: a trigger says what PostgreSQL says when a disk is full."""
    said = "BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END"
    with engine.begin() as db:
        db.execute(text(f"CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ {said} $$"))
        db.execute(text(f"CREATE TRIGGER is_full BEFORE DELETE ON {table} EXECUTE FUNCTION is_full()"))
    try:
        yield
    finally:
        with engine.begin() as db:
            db.execute(text("DROP FUNCTION is_full CASCADE"))


def shop() -> Handlers:
    """Handlers of every kind: what waits, what is ordered, what fails at first."""
    on, failed = Handlers("shop"), set[int]()

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Session) -> None:
        note(db, "view", event.n)

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        if event.n == 3 and not failed:
            failed.add(event.n)
            raise ValueError("once")
        note(db, "place", event.n)

    return on


def impatient(url: str, on: Handlers, **said: Any) -> Pipeline:
    return Pipeline(url, on, engine=create_engine(url, connect_args=IMPATIENT), **said)


def after(sleeps: int, work: Callable[[], object]) -> Callable[[int], None]:
    return lambda count: work() if count == sleeps else None


def refused(pipeline: Pipeline, work: Callable[[Callable[[], bool]], object]) -> None:
    """A worker works, waits for the database for a while, and is stopped."""
    end = pipeline.clock.sleeps + 8
    with suppress(DatabaseAway):
        while pipeline.clock.sleeps <= end:
            work(lambda: pipeline.clock.sleeps > end)


@pytest.mark.parametrize("table", NAMES)
def test_whichever_table_is_locked(pipeline_postgres: str, lookers: Engine, table: str) -> None:
    """`statement_timeout` on the role, while each table in turn is locked: at the start, and when there is work."""
    pipeline = impatient(pipeline_postgres, shop())
    with locked(lookers, table) as lock:
        pipeline.clock.on_sleep = after(4, lock.rollback)
        pipeline.handle(Viewed(n=1), Opened(n=2), *placed(EVENTS, key="same"))
        pipeline.later()
    assert sorted(pipeline.effects()) == sorted([1, 2, *EVENTS])
    assert pipeline.effects("place") == list(EVENTS)
    assert pipeline.is_clean()
    assert pipeline.rows("position", "starts") == [0] * len(pipeline.workers)
    pipeline.close()


def test_after_a_failover_it_is_read_only(postgres: str) -> None:
    from consumers.pipeline import prepare

    prepare(postgres)
    name = make_url(postgres).database
    operator = create_engine(postgres, isolation_level="AUTOCOMMIT", pool_size=1)
    pipeline = Pipeline(postgres, shop())
    with operator.connect() as db:

        def let(said: str) -> None:
            db.execute(text("SET default_transaction_read_only = off"))
            db.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {said}"))
            pipeline.engine.dispose()

        let("on")
        pipeline.clock.on_sleep = after(6, lambda: let("off"))
        pipeline.handle(Viewed(n=1), Opened(n=2), *placed(EVENTS))
        pipeline.later()
    assert sorted(pipeline.effects()) == sorted([1, 2, *EVENTS])
    assert pipeline.is_clean()
    pipeline.close()
    operator.dispose()


def test_a_worker_that_waits_for_the_database_has_not_died_on_its_event(
    pipeline_postgres: str, lookers: Engine
) -> None:
    """Suspected events run alone, with a note; many workers in turn are refused, and stopped or killed meanwhile."""
    pipeline = impatient(pipeline_postgres, shop(), batch=1)
    pipeline.handle(Placed(n=1))
    with pipeline.engine.begin() as db:
        db.execute(update(table_named("position")).values(acquisitions=9))
    pipeline.announce(Placed(n=2))
    with locked(lookers, "oyez_inbox") as lock:
        for _ in range(6):
            refused(pipeline, pipeline.replace("shop.placed").read)
            assert set(pipeline.rows("position", "starts")) <= {0}
        lock.rollback()
    pipeline.replace("shop.placed")
    pipeline.run()
    assert pipeline.effects("place") == [1, 2]
    assert pipeline.dead() == []
    pipeline.close()


def test_nor_on_what_it_tries_again(pipeline_postgres: str, lookers: Engine) -> None:
    """Its start note goes at once; others, which sweep meanwhile, count nothing."""
    on, ready = Handlers("shop"), [False]

    @on(Opened)
    def open_(event: Opened, db: Session) -> None:
        if not ready:
            return
        if not ready[0]:
            raise NotReady
        note(db, "open", event.n)

    pipeline = impatient(pipeline_postgres, on)
    pipeline.handle(Opened(n=1))
    assert len(pipeline.rows("parked")) == 1
    ready[0] = True
    with full(lookers, "oyez_parked"):
        for _ in range(8):
            pipeline.clock.now += 10_000.0
            refused(pipeline, pipeline.replace("shop.opened").step)
            assert pipeline.rows("parked", "starts") == [0]
            assert pipeline.rows("start") == []
    pipeline.later()
    assert pipeline.effects("open") == [1]
    assert pipeline.is_clean()
    pipeline.close()


def test_what_its_handler_is_refused_is_the_handlers_failure(pipeline_postgres: str, lookers: Engine) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)

    pipeline = impatient(pipeline_postgres, on)
    with locked(lookers, "effect") as lock:
        pipeline.handle(Placed(n=1))
        [(handler, n, error)] = pipeline.parked()
        assert (handler, n) == ("place", 1)
        assert "QueryCanceled" in error
        lock.rollback()
    pipeline.later()
    assert pipeline.effects() == [1]
    pipeline.close()


def test_what_ran_outside_of_it_is_not_run_again(pipeline_postgres: str, lookers: Engine) -> None:
    """A handler without a database parameter has done its work, however long the database refuses ours."""
    on, called = Handlers("shop"), list[int]()

    @on(Opened)
    def open_(event: Opened) -> None:
        called.append(event.n)

    pipeline = impatient(pipeline_postgres, on)
    pipeline.handle(Opened(n=0, s="zero"))
    with locked(lookers, "oyez_prerequisite") as lock:
        pipeline.clock.on_sleep = after(pipeline.clock.sleeps + 5, lock.rollback)
        pipeline.handle(Opened(n=1, s="one"), Opened(n=2, s="two"))
    assert called == [0, 1, 2]
    assert pipeline.is_clean()
    pipeline.close()
