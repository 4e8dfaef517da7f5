"""A handler cannot end the batch's transaction: each way to try is its failure alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from consumers.execution.transaction_handlers import (
    EVENTS,
    check_all_done,
    check_parked,
    with_connection,
    with_session,
)
from consumers.pipeline import Pipeline, Play, empty, note, placed
from oyez.consumers import HandlerMisuse, Handlers


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
    pipeline = play(handlers(lambda db, n: acts[n][0](db) if n in acts else None))
    pipeline.handle(*placed(EVENTS))
    check_parked(pipeline, {n: (said,) for n, (_, said) in acts.items()})


@pytest.mark.parametrize(("handlers", "acts"), [(with_session, BY_SESSION), (with_connection, BY_CONNECTION)])
def test_each_way_to_end_it_is_noticed_in_a_whole_batch(
    handlers: Callable[[Callable[[Any, int], Any]], Handlers], acts: Acts, pipeline_sqlite: str
) -> None:
    """The last event is the only bad one, so that it is the first thing that goes wrong in the batch."""
    for act, said in acts.values():
        empty(pipeline_sqlite)
        pipeline = Pipeline(pipeline_sqlite, handlers(lambda db, n, act=act: act(db) if n == 1 else None))
        pipeline.handle(*placed([0, 1]))
        assert pipeline.effects("steady") == [0, 1], said
        assert pipeline.effects("acting") == [0], said
        assert [(name, n) for name, n, error in pipeline.parked() if said in error] == [("acting", 1)], said
        pipeline.close()


def test_misuse_that_is_swallowed_does_nothing(play: Play) -> None:
    def act(db: Connection, n: int) -> None:
        for end in (db.commit, db.rollback, db.close):
            with pytest.raises(HandlerMisuse):
                end()

    pipeline = play(with_connection(act))
    pipeline.handle(*placed(EVENTS))
    check_all_done(pipeline)
