"""Connections lost while a handler runs: ours is taken again, another's is the handler's own affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from consumers.execution.swallowed import plainly, swallowed, wrapped
from consumers.pipeline import Pipeline, Placed, note, placed
from oyez.consumers import Handlers

EVENTS = range(10)


class Foreign(Exception):
    """What the driver of another database might raise."""

    sqlstate = "40001"


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("batch", [True, False])
def test_anothers_database_is_the_handlers_own_affair(
    batch: bool, lost: bool, pipeline_postgres: str
) -> None:
    """A handler without a database parameter that uses a database of its own."""
    runs: list[int] = []
    on = Handlers("shop")

    def elsewhere(event: Placed) -> None:
        runs.append(event.n)
        if event.n == 3:
            raise OperationalError("SELECT 1", {}, Foreign("elsewhere"), connection_invalidated=lost)

    def all_elsewhere(events: list[Placed]) -> None:
        for event in events:
            elsewhere(event)

    on(Placed, name="elsewhere")(all_elsewhere if batch else elsewhere)

    @on(Placed)
    def here(event: Placed, db: Session) -> None:
        note(db, "here", event.n)

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("elsewhere", 3)]
    assert pipeline.effects("here") == list(EVENTS)
    if not batch:
        assert runs == list(EVENTS)
    pipeline.close()


def test_a_lost_connection_to_another_database(pipeline_postgres: str) -> None:
    """With a database parameter, too: ours is still there."""
    on = Handlers("shop")

    @on(Placed)
    def elsewhere(event: Placed, db: Session) -> None:
        note(db, "elsewhere", event.n)
        if event.n == 3:
            raise OperationalError("SELECT 1", {}, Exception("elsewhere"), connection_invalidated=True)

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("elsewhere", 3)]
    assert pipeline.effects("elsewhere") == [n for n in EVENTS if n != 3]
    pipeline.close()


@pytest.mark.parametrize("kind", [Session, Connection])
@pytest.mark.parametrize("manner", [plainly, wrapped, swallowed])
@pytest.mark.parametrize("alone", [False, True])
def test_our_connection_is_lost(
    alone: bool, manner: Callable[[Callable[[], Any]], None], kind: type[Any], pipeline_postgres: str
) -> None:
    """In the whole batch, or when it is taken again one by one because another handler failed."""
    runs: list[int] = []
    outside: list[int] = []
    on = Handlers("shop")
    admin = create_engine(pipeline_postgres, isolation_level="AUTOCOMMIT")

    def losing(event: Placed, db: Any) -> None:
        runs.append(event.n)
        note(db, "losing", event.n)
        if len(runs) == (len(EVENTS) if alone else 0) + 4:
            number = db.execute(text("SELECT pg_backend_pid()")).scalar()
            with admin.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
            manner(lambda: db.execute(text("SELECT 1")))

    losing.__annotations__["db"] = kind
    on(Placed)(losing)

    @on(Placed)
    def failing(event: Placed, db: Session) -> None:
        if alone and event.n == 9:
            raise ValueError("bad")

    @on(Placed)
    def last(event: Placed) -> None:
        outside.append(event.n)

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    assert pipeline.effects("losing") == list(EVENTS)
    assert set(outside) == set(EVENTS)
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == ([("failing", 9)] if alone else [])
    admin.dispose()
    pipeline.close()
