"""What a delivery's disappearance completes: the prerequisite of its event, if no other completing delivery of it is
left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import dead_letters
from ..database.inbox import EventId
from ..database.mark_met import Meeting, meet
from ..handlers.application import Application


class Completing:
    """Knows which handlers of an application complete a signal."""

    def __init__(self, application: Application) -> None:
        self._app = application.name
        self._known = {handler.name for handler in application.handlers}
        self._completing: dict[str, set[str]] = {}
        for handler in application.handlers:
            if handler.completes and handler.declaration.subject is not None:
                self._completing.setdefault(handler.declaration.name, set()).add(handler.name)

    def prerequisite(self, row: Any) -> Prerequisite | None:
        """The prerequisite that waits for this delivery, among others. An unregistered handler may have completed
        its signal."""
        names = self._completing.get(row.signal, set())
        if not names or row.subject is None or (row.handler in self._known and row.handler not in names):
            return None
        return Prerequisite(row.signal, row.subject)

    def complete(
        self, db: Connection, rows: Iterable[Any], met: set[Prerequisite], now: float
    ) -> tuple[set[Prerequisite], Meeting]:
        """These deliveries are deleted: mark the prerequisites that nothing stands in the way of any more, and
        release and revive what waits for them. Returns the prerequisites, and what that released.

        The caller has locked the prerequisites, which said that those in ``met`` are met already.
        """
        events: dict[Prerequisite, set[EventId]] = {}
        for row in rows:
            if (prerequisite := self.prerequisite(row)) is not None and prerequisite not in met:
                events.setdefault(prerequisite, set()).add((row.source, row.event_id))
        names = sorted(name for prerequisite in events for name in self._completing[prerequisite.signal])
        unfinished = dead_letters.unfinished(
            db, self._app, {one for ours in events.values() for one in ours}, names
        )
        completed = {prerequisite for prerequisite, ours in events.items() if ours - unfinished}
        return completed, meet(db, self._app, completed, now)
