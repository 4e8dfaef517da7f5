"""Connections lost while a handler runs: ours is taken again, another's is the handler's own affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from consumers.manners import plainly, swallowed, wrapped
from consumers.stage import Placed, Stage, note, placed
from oyez.consumers import Handlers

EVENTS = range(10)


class Foreign(Exception):
    """What the driver of another database might raise."""

    sqlstate = "40001"


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("batch", [True, False])
def test_anothers_database_is_the_handlers_own_affair(batch: bool, lost: bool, stage_postgres: str) -> None:
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

    stage = Stage(stage_postgres, on)
    stage.handle(*placed(EVENTS))
    assert [(handler, n) for handler, n, _ in stage.parked()] == [("elsewhere", 3)]
    assert stage.effects("here") == list(EVENTS)
    if not batch:
        assert runs == list(EVENTS)
    stage.close()


def test_a_lost_connection_to_another_database(stage_postgres: str) -> None:
    """With a database parameter, too: ours is still there."""
    on = Handlers("shop")

    @on(Placed)
    def elsewhere(event: Placed, db: Session) -> None:
        note(db, "elsewhere", event.n)
        if event.n == 3:
            raise OperationalError("SELECT 1", {}, Exception("elsewhere"), connection_invalidated=True)

    stage = Stage(stage_postgres, on)
    stage.handle(*placed(EVENTS))
    assert [(handler, n) for handler, n, _ in stage.parked()] == [("elsewhere", 3)]
    assert stage.effects("elsewhere") == [n for n in EVENTS if n != 3]
    stage.close()


@pytest.mark.parametrize("kind", [Session, Connection])
@pytest.mark.parametrize("manner", [plainly, wrapped, swallowed])
@pytest.mark.parametrize("alone", [False, True])
def test_our_connection_is_lost(
    alone: bool, manner: Callable[[Callable[[], Any]], None], kind: type[Any], stage_postgres: str
) -> None:
    """In the whole batch, or when it is taken again one by one because another handler failed."""
    runs: list[int] = []
    outside: list[int] = []
    on = Handlers("shop")
    admin = create_engine(stage_postgres, isolation_level="AUTOCOMMIT")

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

    stage = Stage(stage_postgres, on)
    stage.handle(*placed(EVENTS))
    assert stage.effects("losing") == list(EVENTS)
    assert set(outside) == set(EVENTS)
    assert [(handler, n) for handler, n, _ in stage.parked()] == ([("failing", 9)] if alone else [])
    admin.dispose()
    stage.close()
