"""A lost connection: the database is away only when no other is to be had; else a handler may have broken it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from consumers.pipeline import Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.engine import DatabaseAway


def close(db: Session) -> None:
    db.connection().connection.dbapi_connection.close()  # type: ignore[union-attr] # what a handler ought not to do
    db.execute(text("SELECT 1"))


def terminate(db: Session) -> None:
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    close(db)


def swallow(db: Session) -> None:
    try:
        close(db)
    except DBAPIError:
        return


@pytest.mark.parametrize("break_it", [close, terminate, swallow])
def test_a_handler_that_breaks_its_connection_fails_and_nobody_else(play: Play, break_it) -> None:
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        if event.n in (3, 5):
            break_it(db)

    pipeline = play(on, max_attempts=3)
    pipeline.handle(*placed(range(8)))
    assert pipeline.effects() == [0, 1, 2, 4, 6, 7]
    assert sorted(n for _, n, _ in pipeline.parked()) == [3, 5]
    assert all("its connection to the database was lost" in error for _, _, error in pipeline.parked())
    for _ in range(4):
        pipeline.later()
    assert sorted(n for _, n, _ in pipeline.dead()) == [3, 5]
    assert pipeline.effects() == [0, 1, 2, 4, 6, 7]


def test_a_connection_that_is_lost_once_is_nobodys_fault(play: Play) -> None:
    lost = []
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if event.n == 3 and len(lost) < 2:
            lost.append(event.n)
            close(db)
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.handle(*placed(range(6)))
    assert pipeline.effects() == list(range(6))
    assert pipeline.is_clean()


def test_while_no_other_connection_is_to_be_had_the_same_batch_is_tried_again(
    play: Play, monkeypatch
) -> None:
    on = Handlers("shop")
    away = [False]

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if away[0]:
            close(db)
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.run()
    [worker] = pipeline.workers.values()
    database = worker._execution.database
    transaction = database.transaction
    pings: list[int] = []

    def answers() -> bool:
        pings.append(1)
        away[0] = len(pings) < 5
        return not away[0]

    monkeypatch.setattr(database, "answers", answers)
    away[0] = True
    pipeline.handle(*placed(range(4)))
    assert len(pings) == 5
    assert pipeline.effects() == list(range(4))
    assert pipeline.is_clean()
    assert database.transaction == transaction


def test_another_database_of_the_handler_s_is_the_handler_s_matter(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if event.n == 1:
            other = create_engine(
                "postgresql+psycopg://127.0.0.1:1/nowhere", connect_args={"connect_timeout": 1}
            )
            with pytest.raises(OperationalError) as refused:
                other.connect()
            refused.value.connection_invalidated = True
            raise refused.value
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert pipeline.effects() == [0, 2]
    assert [(n, error.split(":")[0]) for _, n, error in pipeline.parked()] == [(1, "OperationalError")]


def test_answers_says_whether_a_new_connection_is_to_be_had(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None: ...

    pipeline = play(on)
    database = pipeline.workers["shop.placed"]._execution.database
    assert database.answers()
    pipeline.engine.dispose()
    assert database.answers()
    nowhere = create_engine("postgresql+psycopg://127.0.0.1:1/nowhere", connect_args={"connect_timeout": 1})
    assert not type(database)(nowhere).answers()
    with pytest.raises(DatabaseAway), type(database)(nowhere).transaction():
        pass


def test_postgresql_ends_a_transaction_that_stands_idle(pipeline_postgres: str) -> None:
    """So that a worker that is frozen holds no locks: the server does not wait for it for ever."""
    from oyez.consumers.database.engine import make_engine

    engine = make_engine(pipeline_postgres, idle_limit=17.0)
    with engine.connect() as db:
        assert db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "17s"
    engine.dispose()
