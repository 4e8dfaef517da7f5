"""What is required of a subject by deliveries that are kept, whatever they stand for.

A row of the retry table says only what it waits for now. What else its handler requires is in its event, and is asked
for each time before it runs: of what is due, is behind another, is tried again, or waits for something else.

There may be millions of them, and SQLite has one writer at a time. So they are decoded before the transaction in which
the answer counts. That one asks which are there now, and decodes those alone that came meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Table

from oyez.schemas import Undecodable

from ..database import delivery_filter, tables
from ..database.delivery_filter import Filter
from ..database.personal import STEP
from ..execution.reader import Reader
from ..handlers.application import Application
from .retry_undecodable import Letter


class StillRequired:
    """Reads the deliveries whose handlers require something: each of them once, whoever asks how often."""

    def __init__(self, application: Application, subject: str) -> None:
        self._app = application.name
        self._subject = subject
        self._handlers = {one.name: one for one in application.handlers if one.requires}
        self._readers = {name: Reader(group) for name, group in application.groups.items()}
        self._read: dict[Table, set[int]] = defaultdict(set)
        self._required: dict[Table, dict[int, set[str]]] = defaultdict(dict)

    def read(self, db: Connection) -> None:
        """Read what there is, outside of any transaction."""
        for table in (tables.parked, tables.dead):
            self.signals(db, table)

    def signals(self, db: Connection, table: Table) -> set[str]:
        """The signals that the deliveries in a table, parked or dead, require of the subject now.

        What is new is no matter of the highest id: a dead letter that is retried has the one that it had, and on
        PostgreSQL an id is given before it is committed.
        """
        there = (
            delivery_filter.ids_of(db, table, self._app, sorted(self._handlers)) if self._handlers else set()
        )
        new = sorted(there - self._read[table])
        for begin in range(0, len(new), STEP):
            self._decode(db, table, new[begin : begin + STEP])
        return {
            signal
            for number, signals in self._required[table].items()
            if number in there
            for signal in signals
        }

    def _decode(self, db: Connection, table: Table, ids: list[int]) -> None:
        for row in delivery_filter.read(db, table, ids, Filter(app=self._app)):
            self._read[table].add(row.id)
            if signals := self._signals_of(row):
                self._required[table][row.id] = signals

    def _signals_of(self, row: Any) -> set[str]:
        """What cannot be decoded requires nothing: it is given up before it is asked."""
        handler = self._handlers[row.handler]
        try:
            taken = self._readers[handler.group].read(Letter(row))
        except Undecodable:
            return set()
        required = () if taken is None else handler.required(taken.data)
        return {one.signal for one in required if one.subject == self._subject}
