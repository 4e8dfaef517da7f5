"""What handlers get of the batch's transaction: all of it, but its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consumers.stage import Placed, Play, Stage, effects, note, placed, unique
from consumers.transacting import (
    BAD,
    EVENTS,
    Effect,
    check_all_done,
    check_one_parked,
    with_connection,
    with_session,
)
from oyez.consumers import Handlers


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
