"""A database as it is within a transaction that is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from .engine import Database


class Within(Database):
    """Reads over the connection of that transaction: SQLite may let nobody else look while it writes."""

    def __init__(self, db: Connection) -> None:
        super().__init__(db.engine)
        self._db = db

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The transaction's connection. What a query raises is the transaction's to tell."""
        yield self._db
