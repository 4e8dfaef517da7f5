"""Commits that meet another transaction, as the database's driver would say it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from sqlalchemy import Engine

CONFLICTS: Mapping[str, Callable[[], Exception]] = {
    "sqlite": lambda: sqlite3.OperationalError("database is locked"),
    "postgresql": lambda: psycopg.errors.SerializationFailure("could not serialize access"),
}


class Commits:
    """Counts an engine's commits; those that are named, by their number, meet another transaction."""

    def __init__(self, engine: Engine, in_the_way: Callable[[int], bool] = lambda _number: False) -> None:
        self.count = 0
        self._in_the_way = in_the_way
        self._conflict = CONFLICTS[engine.dialect.name]
        engine.dialect.do_commit = self._commit  # type: ignore[method-assign]

    def _commit(self, connection: Any) -> None:
        self.count += 1
        if self._in_the_way(self.count):
            connection.rollback()
            raise self._conflict()
        connection.commit()
