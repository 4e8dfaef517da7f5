"""What is required of a subject by deliveries that are kept, whatever they stand for.

A row of the retry table says only what it waits for now. What else its handler requires is in its event, and is asked
for each time before it runs: of what is due, is behind another, is tried again, or waits for something else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table

from oyez.schemas import Undecodable

from ..database import personal
from ..execution.reader import Reader
from ..handlers.application import Application
from .retry_undecodable import Letter


class StillRequired:
    """Reads the deliveries whose handlers require something."""

    def __init__(self, application: Application, subject: str) -> None:
        self._app = application.name
        self._subject = subject
        self._handlers = {one.name: one for one in application.handlers if one.requires}
        self._readers = {name: Reader(group) for name, group in application.groups.items()}

    def signals(self, db: Connection, table: Table) -> set[str]:
        """The signals that the deliveries in a table, parked or dead, require of the subject."""
        ours = (table.c.app == self._app, table.c.handler.in_(sorted(self._handlers)))
        rows = personal.paged(db, table, *ours) if self._handlers else ()
        return {signal for row in rows for signal in self._signals_of(row)}

    def _signals_of(self, row: Any) -> set[str]:
        """What cannot be decoded requires nothing: it is given up before it is asked."""
        handler = self._handlers[row.handler]
        try:
            taken = self._readers[handler.group].read(Letter(row))
        except Undecodable:
            return set()
        required = () if taken is None else handler.required(taken.data)
        return {one.signal for one in required if one.subject == self._subject}
