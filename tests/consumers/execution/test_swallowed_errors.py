"""Database errors that a handler swallows: what it did is undone, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from consumers.execution.transaction_handlers import BAD, EVENTS, Effect, check_all_done, check_one_parked
from consumers.pipeline import Placed, Play, effects, note, placed
from oyez.consumers import Handlers


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

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    check_one_parked(pipeline, "HandlerMisuse", "swallowed a database error", "begin_nested()")


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

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    check_one_parked(pipeline, "HandlerMisuse", "swallowed a database error")


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

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    if pipeline.engine.dialect.name == "postgresql":
        check_one_parked(pipeline, "HandlerMisuse", "swallowed a database error", "begin_nested()")
    else:  # SQLite undoes the statement and goes on
        check_all_done(pipeline)
