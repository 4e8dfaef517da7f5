"""What handlers get of the batch's transaction: all of it, but its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from consumers.stage import Placed, Play, Stage, effects, empty, note, placed, unique
from oyez.consumers import HandlerMisuse, Handlers

BAD = 12
EVENTS = range(24)


class Base(DeclarativeBase):
    pass


class Effect(Base):
    __tablename__ = "effect"
    seq: Mapped[int] = mapped_column(primary_key=True)
    handler: Mapped[str]
    n: Mapped[int]


def with_session(act: Callable[[Session, int], Any]) -> Handlers:
    """A handler that acts between two effects, beside one that does nothing wrong."""
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Session) -> None:
        note(db, "acting", event.n)
        act(db, event.n)
        note(db, "after", event.n)

    @on(Placed)
    def steady(event: Placed, db: Connection) -> None:
        note(db, "steady", event.n)

    return on


def with_connection(act: Callable[[Connection, int], Any]) -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Connection) -> None:
        note(db, "acting", event.n)
        act(db, event.n)
        note(db, "after", event.n)

    @on(Placed)
    def steady(event: Placed, db: Session) -> None:
        note(db, "steady", event.n)

    return on


def check_parked(stage: Stage, said: Mapping[int, tuple[str, ...]]) -> None:
    """Of all shares, the acting handler's of these events are parked, and nothing of them is left."""
    assert sorted(stage.effects("steady")) == list(EVENTS)
    for handler in ("acting", "after"):
        assert sorted(stage.effects(handler)) == [n for n in EVENTS if n not in said]
    parked = {(handler, n): error for handler, n, error in stage.parked()}
    assert list(parked) == [("acting", n) for n in sorted(said)]
    for (_, n), error in parked.items():
        for part in said[n]:
            assert part in error, (n, error)
    assert len(stage.rows("inbox")) == len(EVENTS)
    assert stage.rows("position", "position") == [len(EVENTS)]
    assert stage.dead() == []


def check_one_parked(stage: Stage, *said: str) -> None:
    check_parked(stage, {BAD: said})


def check_all_done(stage: Stage) -> None:
    check_parked(stage, {})


def when_bad(act: Callable[[Any], Any]) -> Callable[[Any, int], Any]:
    return lambda db, n: act(db) if n == BAD else None


def leave_with(db: Session) -> None:
    with db:
        pass


def own_transaction(db: Session | Connection) -> None:
    with db.begin():
        note(db, "own", 1)


def leave_open(db: Any) -> None:
    db.begin_nested()


def leave_open_and_fail(db: Any) -> None:
    db.begin_nested()
    raise ValueError("inside")


Acts = dict[int, tuple[Callable[[Any], Any], str]]

BY_SESSION: Acts = {
    3: (lambda db: db.rollback(), "HandlerMisuse: the handler called Session.rollback()"),
    4: (lambda db: db.close(), "HandlerMisuse: the handler called Session.close()"),
    5: (lambda db: db.reset(), "HandlerMisuse: the handler called Session.reset()"),
    7: (lambda db: db.invalidate(), "HandlerMisuse: the handler called Session.invalidate()"),
    8: (leave_with, "HandlerMisuse: the handler called Session.close()"),
    9: (own_transaction, "HandlerMisuse: the handler called Session.begin()"),
    11: (lambda db: db.connection().commit(), "HandlerMisuse: the handler called Connection.commit()"),
    12: (lambda db: db.connection().rollback(), "HandlerMisuse: the handler called Connection.rollback()"),
    13: (lambda db: db.execute(text("COMMIT")), "HandlerMisuse: the handler called execute('COMMIT')"),
    14: (
        lambda db: db.execute(text(" rollback work")),
        "HandlerMisuse: the handler called execute('rollback')",
    ),
    16: (
        lambda db: db.get_transaction().rollback(),
        "HandlerMisuse: the handler called Session.get_transaction()",
    ),
    17: (leave_open, "HandlerMisuse: the handler left a savepoint open"),
    18: (leave_open_and_fail, "ValueError: inside"),
    19: (
        lambda db: db.connection().get_transaction(),
        "HandlerMisuse: the handler called Connection.get_transaction()",
    ),
}

BY_CONNECTION: Acts = {
    0: (lambda db: db.commit(), "HandlerMisuse: the handler called Connection.commit()"),
    1: (lambda db: db.rollback(), "HandlerMisuse: the handler called Connection.rollback()"),
    3: (lambda db: db.close(), "HandlerMisuse: the handler called Connection.close()"),
    4: (lambda db: db.invalidate(), "HandlerMisuse: the handler called Connection.invalidate()"),
    5: (lambda db: db.detach(), "HandlerMisuse: the handler called Connection.detach()"),
    7: (own_transaction, "HandlerMisuse: the handler called Connection.begin()"),
    8: (lambda db: db.exec_driver_sql("COMMIT"), "HandlerMisuse: the handler called execute('COMMIT')"),
    9: (
        lambda db: db.exec_driver_sql(" end transaction"),
        "HandlerMisuse: the handler called execute('end')",
    ),
    11: (
        lambda db: db.exec_driver_sql("-- so\nCOMMIT"),
        "HandlerMisuse: the handler called execute('COMMIT')",
    ),
    12: (
        lambda db: db.exec_driver_sql("SELECT 1; COMMIT"),
        "HandlerMisuse: the handler called execute('COMMIT')",
    ),
    13: (lambda db: db.scalar(text("ROLLBACK")), "HandlerMisuse: the handler called execute('ROLLBACK')"),
    14: (lambda db: db.execute(text("/* x */ BEGIN")), "HandlerMisuse: the handler called execute('BEGIN')"),
    16: (
        lambda db: db.get_transaction().commit(),
        "HandlerMisuse: the handler called Connection.get_transaction()",
    ),
    17: (lambda db: db.get_nested_transaction(), "Connection.get_nested_transaction()"),
    18: (lambda db: db.__exit__(None, None, None), "HandlerMisuse: the handler called Connection.close()"),
    19: (leave_open, "HandlerMisuse: the handler left a savepoint open"),
    20: (leave_open_and_fail, "ValueError: inside"),
}


@pytest.mark.parametrize(("handlers", "acts"), [(with_session, BY_SESSION), (with_connection, BY_CONNECTION)])
def test_a_handler_cannot_end_the_transaction(
    handlers: Callable[[Callable[[Any, int], Any]], Handlers], acts: Acts, play: Play
) -> None:
    stage = play(handlers(lambda db, n: acts[n][0](db) if n in acts else None))
    stage.handle(*placed(EVENTS))
    check_parked(stage, {n: (said,) for n, (_, said) in acts.items()})


@pytest.mark.parametrize(("handlers", "acts"), [(with_session, BY_SESSION), (with_connection, BY_CONNECTION)])
def test_each_way_to_end_it_is_noticed_in_a_whole_batch(
    handlers: Callable[[Callable[[Any, int], Any]], Handlers], acts: Acts, stage_sqlite: str
) -> None:
    """The last event is the only bad one, so that it is the first thing that goes wrong in the batch."""
    for act, said in acts.values():
        empty(stage_sqlite)
        stage = Stage(stage_sqlite, handlers(lambda db, n, act=act: act(db) if n == 1 else None))
        stage.handle(*placed([0, 1]))
        assert stage.effects("steady") == [0, 1], said
        assert stage.effects("acting") == [0], said
        assert [(name, n) for name, n, error in stage.parked() if said in error] == [("acting", 1)], said
        stage.close()


def test_savepoints_by_hand_are_the_handlers_own(play: Play) -> None:
    def act(db: Connection, n: int) -> None:
        db.exec_driver_sql("SAVEPOINT mine")
        note(db, "undone", n)
        db.execute(text("ROLLBACK TO SAVEPOINT mine"))
        db.execute(text("RELEASE SAVEPOINT mine"))
        db.execute(text("SELECT 'commit; this' AS committed"))
        db.execute(text("SELECT 1; -- commit"))
        if db.dialect.name == "postgresql":
            db.execute(text("DO $$ BEGIN PERFORM 1; END $$"))

    stage = play(with_connection(act))
    stage.handle(*placed(EVENTS))
    check_all_done(stage)
    assert stage.effects("undone") == []


def test_misuse_that_is_swallowed_does_nothing(play: Play) -> None:
    def act(db: Connection, n: int) -> None:
        for end in (db.commit, db.rollback, db.close):
            with pytest.raises(HandlerMisuse):
                end()

    stage = play(with_connection(act))
    stage.handle(*placed(EVENTS))
    check_all_done(stage)


def test_a_sessions_commit_only_flushes(play: Play) -> None:
    flushed: list[int] = []

    def act(db: Session, n: int) -> None:
        db.add(Effect(handler="added", n=n))
        db.commit()
        flushed.append(len(db.new))
        db.add(Effect(handler="later", n=n))
        if n == BAD:
            raise ValueError("after its commit")

    stage = play(with_session(act))
    stage.handle(*placed(EVENTS))
    check_one_parked(stage, "ValueError: after its commit")
    others = [n for n in EVENTS if n != BAD]
    assert sorted(stage.effects("added")) == others
    assert sorted(stage.effects("later")) == others
    assert set(flushed) == {0}


def test_what_is_left_dirty_is_flushed(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def adding(event: Placed, db: Session) -> None:
        db.add(Effect(handler="added", n=event.n))

    @on(Placed)
    def looking(event: Placed, db: Connection) -> None:
        found = select(effects.c.n).where(effects.c.handler == "added", effects.c.n == event.n)
        note(db, "looking", *db.execute(found).scalars())

    stage = play(on)
    stage.handle(*placed(EVENTS))
    assert sorted(stage.effects("added")) == sorted(stage.effects("looking")) == list(EVENTS)


def test_what_cannot_be_flushed_is_the_fault_of_who_left_it(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def adding(event: Placed, db: Session) -> None:
        db.add(Effect(handler=None if event.n == BAD else "added", n=event.n))

    @on(Placed)
    def looking(event: Placed, db: Session) -> None:
        db.add(Effect(handler="looking", n=event.n))
        db.scalars(select(Effect).where(Effect.n == event.n)).all()

    stage = play(on)
    stage.handle(*placed(EVENTS))
    [(handler, n, error)] = stage.parked()
    assert (handler, n) == ("adding", BAD)
    assert "IntegrityError" in error
    assert sorted(stage.effects("looking")) == list(EVENTS)
    assert sorted(stage.effects("added")) == [n for n in EVENTS if n != BAD]


def breaking_session(db: Session, n: int) -> None:
    db.add(Effect(handler=None, n=n))
    with suppress(IntegrityError):
        db.flush()


def breaking_session_and_going_on(db: Session, n: int) -> None:
    breaking_session(db, n)
    with suppress(SQLAlchemyError):
        db.execute(text("SELECT 1"))


@pytest.mark.parametrize("act", [breaking_session, breaking_session_and_going_on])
def test_a_swallowed_flush_error(act: Callable[[Session, int], None], play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Session) -> None:
        note(db, "acting", event.n)
        note(db, "after", event.n)
        if event.n == BAD:
            act(db, event.n)

    @on(Placed)
    def steady(event: Placed, db: Session) -> None:
        note(db, "steady", event.n)

    stage = play(on)
    stage.handle(*placed(EVENTS))
    check_one_parked(stage, "HandlerMisuse", "swallowed a database error", "begin_nested()")


def test_what_is_done_after_a_swallowed_flush_error_is_undone(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Session, connection: Connection) -> None:
        if event.n == BAD:
            breaking_session(db, event.n)
        note(connection, "acting", event.n)
        note(connection, "after", event.n)

    @on(Placed)
    def steady(event: Placed, db: Session) -> None:
        note(db, "steady", event.n)

    stage = play(on)
    stage.handle(*placed(EVENTS))
    check_one_parked(stage, "HandlerMisuse", "swallowed a database error")


def breaking_connection(db: Connection, n: int) -> None:
    with suppress(IntegrityError):
        db.execute(insert(effects), {"handler": None, "n": n})


def test_a_swallowed_connection_error(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Connection) -> None:
        note(db, "acting", event.n)
        note(db, "after", event.n)
        if event.n == BAD:
            breaking_connection(db, event.n)

    @on(Placed)
    def steady(event: Placed, db: Connection) -> None:
        note(db, "steady", event.n)

    stage = play(on)
    stage.handle(*placed(EVENTS))
    if stage.engine.dialect.name == "postgresql":
        check_one_parked(stage, "HandlerMisuse", "swallowed a database error", "begin_nested()")
    else:  # SQLite undoes the statement and goes on
        check_all_done(stage)


def once(db: Session | Connection, n: int) -> None:
    try:
        with db.begin_nested():
            db.execute(insert(unique), {"n": n % 10})
    except IntegrityError:
        note(db, "again", n)


@pytest.mark.parametrize("handlers", [with_session, with_connection])
def test_a_constraint_in_a_savepoint_of_its_own(handlers: Callable[[Any], Handlers], play: Play) -> None:
    stage = play(handlers(once))
    stage.handle(*placed(EVENTS))
    check_all_done(stage)
    assert sorted(stage.effects("again")) == list(range(10, 24))


@pytest.mark.parametrize("handlers", [with_session, with_connection])
def test_the_same_one_by_one(handlers: Callable[[Any], Handlers], play: Play) -> None:
    def act(db: Any, n: int) -> None:
        once(db, n)
        if n == BAD:
            raise ValueError("after it")

    stage = play(handlers(act))
    stage.handle(*placed(EVENTS))
    check_one_parked(stage, "ValueError: after it")
    assert sorted(stage.effects("again")) == [n for n in range(10, 24) if n != BAD]


def test_a_savepoint_may_be_rolled_back(play: Play) -> None:
    def act(db: Connection, n: int) -> None:
        savepoint = db.begin_nested()
        note(db, "undone", n)
        savepoint.rollback()

    stage = play(with_connection(act))
    stage.handle(*placed(EVENTS))
    check_all_done(stage)
    assert stage.effects("undone") == []


def test_both_parameters_are_one_transaction(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def both(event: Placed, db: Session, connection: Connection) -> None:
        db.add(Effect(handler="both", n=event.n))
        db.flush()
        found = select(effects.c.n).where(effects.c.n == event.n, effects.c.handler == "both")
        note(connection, "seen", *connection.execute(found).scalars())
        if event.n == BAD:
            raise ValueError("both")

    stage = play(on)
    stage.handle(*placed(EVENTS))
    others = [n for n in EVENTS if n != BAD]
    assert sorted(stage.effects("both")) == sorted(stage.effects("seen")) == others


def test_the_transaction_is_read_committed(stage_postgres: str) -> None:
    on = Handlers("shop")
    levels: list[Any] = []

    @on(Placed)
    def look(event: Placed, db: Connection) -> None:
        levels.append(db.execute(text("SHOW transaction_isolation")).scalar())

    stage = Stage(stage_postgres, on, engine=create_engine(stage_postgres, isolation_level="SERIALIZABLE"))
    stage.handle(Placed())
    stage.close()
    assert levels == ["read committed"]
