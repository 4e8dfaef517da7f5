"""What a handler writes for each event is sent together: whatever goes wrong lands where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, registry

from consumers.database.handlers_connection import sent_row_by_row
from consumers.pipeline import Pipeline, Placed, Play, effects, placed, unique
from oyez.consumers import Handlers, Reject

EVENTS = range(24)
BAD = 12
OTHERS = [n for n in EVENTS if n != BAD]
Doing = Session | Connection


def write(db: Doing, handler: str, n: int) -> Any:
    return db.execute(
        text("INSERT INTO effect (handler, n) VALUES (:handler, :n)"), {"handler": handler, "n": n}
    )


def only_once(db: Doing, n: int) -> Any:
    return db.execute(insert(unique), {"n": n})


def writing(kind: type[Any], act: Callable[[Any, int], Any], name: str = "writing") -> Handlers:
    """A handler that acts."""
    on = Handlers("shop")

    def handler(event: Placed, db: Any) -> None:
        act(db, event.n)

    handler.__annotations__["db"] = kind
    on(Placed, name=name)(handler)
    return on


def write_it(db: Doing, n: int) -> None:
    write(db, "writing", n)


def handlers(kind: type[Any], act: Callable[[Any, int], Any]) -> Handlers:
    """A handler that acts between two effects, and one beside it."""

    def acting(db: Doing, n: int) -> None:
        write(db, "acting", n)
        act(db, n)
        write(db, "after", n)

    on = writing(kind, acting, "acting")

    @on(Placed)
    def steady(event: Placed, db: Connection) -> None:
        write(db, "steady", event.n)

    return on


def check(pipeline: Pipeline, done: list[int]) -> None:
    assert sorted(pipeline.effects("acting")) == sorted(pipeline.effects("after")) == done
    assert pipeline.effects("steady") == list(EVENTS)


def told_of_effects(pipeline: Pipeline, tell: Callable[[int], None]) -> None:
    """From now on ``tell`` is told of each statement that writes effects: for how many."""

    @event.listens_for(pipeline.engine, "before_cursor_execute")
    def note(_db: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if "INTO effect" in statement:
            tell(len(parameters) if many else 1)


@pytest.fixture(params=[Session, Connection])
def kind(request: pytest.FixtureRequest) -> type[Any]:
    found: type[Any] = request.param
    return found


def test_what_fails_when_it_is_sent_is_the_fault_of_its_event(kind: type[Any], play: Play) -> None:
    pipeline = play(handlers(kind, lambda db, n: only_once(db, 0 if n == BAD else n)))
    pipeline.handle(*placed(EVENTS))
    [(handler, n, error)] = pipeline.parked()
    assert (handler, n) == ("acting", BAD)
    assert "IntegrityError" in error
    check(pipeline, OTHERS)


def test_a_handler_that_catches_it_catches_it(kind: type[Any], play: Play) -> None:
    def act(db: Doing, n: int) -> None:
        try:
            only_once(db, 0 if n == BAD else n)
        except IntegrityError as error:
            raise Reject("there already") from error

    pipeline = play(handlers(kind, act))
    pipeline.handle(*placed(EVENTS))
    assert pipeline.dead() == [("acting", BAD, "rejected by its handler")]
    check(pipeline, OTHERS)


def test_whoever_catches_anothers_error_does_not_hide_it(kind: type[Any], play: Play) -> None:
    """What an event has left to be sent fails while the next one asks for something of its own."""
    early = 4  # before it shows that nothing is saved

    def act(db: Doing, n: int) -> None:
        try:
            with db.begin_nested():
                only_once(db, n)
        except Exception:  # noqa: BLE001 # it takes whatever comes for an event that it has had
            return
        db.execute(insert(effects), {"handler": "writing", "n": None if n == early else n})

    pipeline = play(writing(kind, act))
    pipeline.handle(*placed(EVENTS))
    [(handler, n, error)] = pipeline.parked()
    assert (handler, n) == ("writing", early)
    assert "IntegrityError" in error
    assert sorted(pipeline.effects("writing")) == [n for n in EVENTS if n != early]


def test_an_event_that_fails_takes_nothing_of_others_with_it(kind: type[Any], play: Play) -> None:
    def act(db: Doing, n: int) -> None:
        only_once(db, n)
        if n == BAD:
            raise ValueError("no")

    pipeline = play(handlers(kind, act))
    pipeline.handle(*placed(EVENTS))
    assert pipeline.parked() == [("acting", BAD, "ValueError: no")]
    check(pipeline, OTHERS)


def test_one_statement_takes_few(kind: type[Any], play: Play) -> None:
    pipeline = play(writing(kind, write_it))
    sent: list[int] = []
    told_of_effects(pipeline, sent.append)
    pipeline.handle(*placed(EVENTS))
    assert pipeline.effects("writing") == list(EVENTS)
    assert sent == [1, 2, 4, 8, 9]


def test_it_is_so_for_a_handler_that_has_failed_lately(kind: type[Any], play: Play) -> None:
    def act(db: Doing, n: int) -> None:
        write_it(db, n)
        if n == BAD:
            raise ValueError("no")

    pipeline = play(writing(kind, act))
    pipeline.handle(*placed(EVENTS))
    later = range(len(EVENTS), 100)
    sent: list[int] = []
    told_of_effects(pipeline, sent.append)
    pipeline.handle(*placed(later))
    assert pipeline.effects("writing") == [*OTHERS, *later]
    assert pipeline.parked() == [("writing", BAD, "ValueError: no")]
    assert sum(sent) == len(later)
    assert len(sent) < len(later) / 3


def test_a_batch_is_cut_by_the_time_that_its_statements_take(kind: type[Any], play: Play) -> None:
    pipeline = play(writing(kind, write_it))

    def be_slow(count: int) -> None:
        pipeline.clock.now += 2.0 * count

    told_of_effects(pipeline, be_slow)
    pipeline.run()
    pipeline.announce(*placed(EVENTS))
    [worker] = pipeline.workers.values()
    worker.step()
    assert pipeline.effects() == list(range(6)), "10 s, at 2 s each"
    pipeline.run()
    assert pipeline.effects() == list(EVENTS)
    assert pipeline.is_clean()


@pytest.mark.parametrize("alternating", [False, True])
def test_a_connection_that_is_lost_when_it_is_sent_is_nobodys_fault(
    alternating: bool, kind: type[Any], pipeline_postgres: str
) -> None:
    lost: list[int] = []

    def act(db: Doing, n: int) -> None:
        write_it(db, n)
        if alternating:
            only_once(db, n)

    pipeline = Pipeline(pipeline_postgres, writing(kind, act))

    @event.listens_for(pipeline.engine, "before_cursor_execute")
    def lose(db: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if "INTO effect" in statement:
            lost.append(db.connection.dbapi_connection.info.backend_pid)  # type: ignore[union-attr]
            if len(lost) == 3:  # the first event goes alone; several are on their way
                with pipeline.engine.connect() as other:
                    other.execute(text("SELECT pg_terminate_backend(:backend, 10000)"), {"backend": lost[-1]})

    pipeline.handle(*placed(EVENTS))
    assert len(set(lost)) > 1
    assert sorted(pipeline.effects("writing")) == list(EVENTS)
    assert pipeline.is_clean()
    pipeline.close()


@pytest.mark.parametrize("bad", [None, 0, 100, 199])
def test_many_rows_are_as_many_effects(bad: int | None, kind: type[Any], play: Play) -> None:
    """Whether they are sent one by one or in columns, and whichever of them fails."""
    constant = insert(effects)

    def act(db: Doing, n: int) -> None:
        db.execute(constant, {"handler": "writing", "n": None if n == bad else n})

    pipeline = play(writing(kind, act))
    pipeline.handle(*placed(range(200)))
    assert pipeline.effects("writing") == [n for n in range(200) if n != bad]
    assert [n for _, n, _ in pipeline.parked()] == ([] if bad is None else [bad])


def test_on_postgresql_most_of_them_go_in_columns(kind: type[Any], pipeline_postgres: str) -> None:
    constant = insert(effects)
    on = writing(kind, lambda db, n: db.execute(constant, {"handler": "writing", "n": n}))
    pipeline = Pipeline(pipeline_postgres, on)
    with sent_row_by_row(pipeline.engine) as left:
        pipeline.handle(*placed(range(200)))
    assert len([one for one in left if "INTO effect" in one]) == len([2, 4, 8])
    assert pipeline.effects("writing") == list(range(200))
    pipeline.close()


@pytest.mark.parametrize("bad", [None, 100])
def test_many_objects_are_as_many_rows(bad: int | None, play: Play) -> None:
    class Once:
        def __init__(self, n: int) -> None:
            self.n = n

    registry().map_imperatively(Once, unique, primary_key=[unique.c.n])
    pipeline = play(writing(Session, lambda db, n: db.add(Once(-1 if n == bad else n))))
    with pipeline.engine.begin() as db:
        db.execute(insert(unique), {"n": -1})
    pipeline.handle(*placed(range(200)))
    with pipeline.engine.connect() as db:
        found = db.execute(select(unique.c.n).order_by(unique.c.n)).scalars().all()
    assert found == [-1, *(n for n in range(200) if n != bad)]
    assert [n for _, n, _ in pipeline.parked()] == ([] if bad is None else [bad])
