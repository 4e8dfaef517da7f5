"""Deliveries that a test looks at: what is parked, and what is dead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from oyez.schemas import Catalogue, Event
from oyez.schemas.declaration import Prerequisite

from ..database.delivery_filter import State
from ..database.due import due_since
from ..database.tables import dead, parked
from ..reports.deliveries import state_of
from .decoding import OfEvent, event_of


@dataclass(frozen=True, repr=False)
class Delivery(OfEvent):
    """One handler's part of one event. ``event`` is None where it cannot be decoded. ``attempts`` are those that have
    failed; ``error`` is what the last of them raised, in one line, then where."""

    handler: str
    signal: str
    event: Event[Any] | None
    attempts: int
    error: str | None

    @property
    def _named(self) -> str:
        return f"{self.handler or 'no handler'}: {self._said}"

    @property
    def _failed(self) -> str:
        """What it has raised, in a few words."""
        if not self.attempts:
            return ""
        times = "an attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        return f" after {times}" + (f": {self.error.splitlines()[0]}" if self.error else "")


@dataclass(frozen=True, repr=False)
class ParkedDelivery(Delivery):
    """A delivery that waits. ``state``: it is "waiting" for ``waits_for``, "behind" an earlier event of its ``key``, or
    "due" in ``due_in`` seconds."""

    state: State
    key: str | None
    waits_for: Prerequisite | None
    due_in: float | None

    def __repr__(self) -> str:
        return f"<{self._named} {self._why}{self._failed}>"

    @property
    def _why(self) -> str:
        if self.due_in is not None:
            return f"is tried again in {self.due_in:.0f} s"
        if self.waits_for is not None:
            return f"waits for {self.waits_for.signal} {self.waits_for.subject!r}"
        return f"stands behind an earlier event of {self.key!r}"


@dataclass(frozen=True, repr=False)
class DeadDelivery(Delivery):
    """A delivery that was given up; ``reason`` says why."""

    reason: str

    def __repr__(self) -> str:
        return f"<{self._named} was given up: {self.reason}{self._failed}>"


def parked_deliveries(db: Connection, app: str, signals: Catalogue, now: float) -> list[ParkedDelivery]:
    """What is in the retry table of an application, in the order of parking."""
    return [
        ParkedDelivery(
            **_common(row, signals),
            state=state_of(row),
            key=row.key,
            waits_for=None if row.wait_signal is None else Prerequisite(row.wait_signal, row.wait_subject),
            due_in=None if row.due_at is None else max(0.0, due_since(row.due_at) - now),
        )
        for row in _rows(db, parked, app)
    ]


def dead_deliveries(db: Connection, app: str, signals: Catalogue) -> list[DeadDelivery]:
    """The dead letters of an application, in the order in which they died."""
    return [DeadDelivery(**_common(row, signals), reason=row.reason) for row in _rows(db, dead, app)]


def _rows(db: Connection, table: Table, app: str) -> list[Any]:
    return list(db.execute(select(table).where(table.c.app == app).order_by(table.c.id)))


def _common(row: Any, signals: Catalogue) -> dict[str, Any]:
    return {
        "handler": row.handler,
        "signal": row.signal,
        "event": event_of(row.value, row.headers, row.key, signals),
        "attempts": row.attempts,
        "error": row.error,
    }
