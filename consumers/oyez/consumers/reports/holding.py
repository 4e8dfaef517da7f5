"""What holds up a delivery that is due: a pause, or that no lane of its handler is free."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection

from ..database import pauses, start_notes
from ..handlers.application import Application
from .pauses import PauseState, pauses_of

Lane = Literal["waits", "begun"]
"""Whether a delivery waits for a lane that is free, or is run in one, or about to be."""


class Holding:
    """What is known of that at one moment."""

    def __init__(self, db: Connection, in_lanes: Iterable[tuple[str, str]], now: float) -> None:
        """``in_lanes`` are the (app, handler) of those that run in lanes; ``now`` is in seconds since the epoch."""
        self._in_lanes = frozenset(in_lanes)
        self._now = now
        self._noted = start_notes.noted(db)
        self._pauses = {app: pauses_of(db, app) for app in pauses.apps(db)}

    def pause(self, row: Any) -> PauseState | None:
        """The oldest pause that holds up a row of the retry table."""
        found = self._pauses.get(row.app, ())
        return next((one for one in found if one.concerns(row.group_name, row.handler, row.key)), None)

    def lane(self, row: Any) -> Lane | None:
        """How a row stands with its handler's lanes; None if that is not what it waits for."""
        if row.due_at is None or row.due_at > self._now or (row.app, row.handler) not in self._in_lanes:
            return None
        if row.id in self._noted:
            return "begun"
        return None if self.pause(row) else "waits"


def handlers_in_lanes(application: Application) -> list[tuple[str, str]]:
    """The (app, handler) of an application's concurrent handlers."""
    return [(application.name, one.name) for one in application.handlers if one.concurrency is not None]
