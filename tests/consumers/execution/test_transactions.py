"""What handlers get of the batch's transaction: all of it, but its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consumers.execution.transaction_handlers import (
    BAD,
    EVENTS,
    Effect,
    check_all_done,
    check_one_parked,
    with_connection,
    with_session,
)
from consumers.pipeline import Pipeline, Placed, Play, effects, note, placed, unique
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

    pipeline = play(with_connection(act))
    pipeline.handle(*placed(EVENTS))
    check_all_done(pipeline)
    assert pipeline.effects("undone") == []


def test_a_sessions_commit_only_flushes(play: Play) -> None:
    flushed: list[int] = []

    def act(db: Session, n: int) -> None:
        db.add(Effect(handler="added", n=n))
        db.commit()
        flushed.append(len(db.new))
        db.add(Effect(handler="later", n=n))
        if n == BAD:
            raise ValueError("after its commit")

    pipeline = play(with_session(act))
    pipeline.handle(*placed(EVENTS))
    check_one_parked(pipeline, "ValueError: after its commit")
    others = [n for n in EVENTS if n != BAD]
    assert sorted(pipeline.effects("added")) == others
    assert sorted(pipeline.effects("later")) == others
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

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    assert sorted(pipeline.effects("added")) == sorted(pipeline.effects("looking")) == list(EVENTS)


def test_what_cannot_be_flushed_is_the_fault_of_who_left_it(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def adding(event: Placed, db: Session) -> None:
        db.add(Effect(handler=None if event.n == BAD else "added", n=event.n))

    @on(Placed)
    def looking(event: Placed, db: Session) -> None:
        db.add(Effect(handler="looking", n=event.n))
        db.scalars(select(Effect).where(Effect.n == event.n)).all()

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    [(handler, n, error)] = pipeline.parked()
    assert (handler, n) == ("adding", BAD)
    assert "IntegrityError" in error
    assert sorted(pipeline.effects("looking")) == list(EVENTS)
    assert sorted(pipeline.effects("added")) == [n for n in EVENTS if n != BAD]


def once(db: Session | Connection, n: int) -> None:
    try:
        with db.begin_nested():
            db.execute(insert(unique), {"n": n % 10})
    except IntegrityError:
        note(db, "again", n)


@pytest.mark.parametrize("handlers", [with_session, with_connection])
def test_a_constraint_in_a_savepoint_of_its_own(handlers: Callable[[Any], Handlers], play: Play) -> None:
    pipeline = play(handlers(once))
    pipeline.handle(*placed(EVENTS))
    check_all_done(pipeline)
    assert sorted(pipeline.effects("again")) == list(range(10, 24))


@pytest.mark.parametrize("handlers", [with_session, with_connection])
def test_the_same_one_by_one(handlers: Callable[[Any], Handlers], play: Play) -> None:
    def act(db: Any, n: int) -> None:
        once(db, n)
        if n == BAD:
            raise ValueError("after it")

    pipeline = play(handlers(act))
    pipeline.handle(*placed(EVENTS))
    check_one_parked(pipeline, "ValueError: after it")
    assert sorted(pipeline.effects("again")) == [n for n in range(10, 24) if n != BAD]


def test_a_savepoint_may_be_rolled_back(play: Play) -> None:
    def act(db: Connection, n: int) -> None:
        savepoint = db.begin_nested()
        note(db, "undone", n)
        savepoint.rollback()

    pipeline = play(with_connection(act))
    pipeline.handle(*placed(EVENTS))
    check_all_done(pipeline)
    assert pipeline.effects("undone") == []


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

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    others = [n for n in EVENTS if n != BAD]
    assert sorted(pipeline.effects("both")) == sorted(pipeline.effects("seen")) == others


def test_the_transaction_is_read_committed(pipeline_postgres: str) -> None:
    on = Handlers("shop")
    levels: list[Any] = []

    @on(Placed)
    def look(event: Placed, db: Connection) -> None:
        levels.append(db.execute(text("SHOW transaction_isolation")).scalar())

    pipeline = Pipeline(
        pipeline_postgres, on, engine=create_engine(pipeline_postgres, isolation_level="SERIALIZABLE")
    )
    pipeline.handle(Placed())
    pipeline.close()
    assert levels == ["read committed"]
