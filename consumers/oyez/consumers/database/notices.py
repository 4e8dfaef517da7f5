"""Telling the workers of other groups that rows of theirs were released: NOTIFY, on PostgreSQL."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, func
from sqlalchemy import select as query

CHANNEL = "oyez"


def notify(db: Connection, groups: Iterable[str]) -> None:
    """Notify each group when the transaction commits; on SQLite, whose workers look by themselves, nothing."""
    if db.dialect.name == "postgresql":
        for group in sorted(groups):
            db.execute(query(func.pg_notify(CHANNEL, group)))


class Notices:
    """Hears what was released for one group, on a connection of its own. It never blocks and has no thread."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._group = group
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        self._driver: Any = self._connection.connection.dbapi_connection

    def heard(self) -> bool:
        """Whether something was released for the group since the last look."""
        if not select.select([self._driver.fileno()], [], [], 0)[0]:
            return False
        return any(notice.payload == self._group for notice in self._driver.notifies(timeout=0))

    def close(self) -> None:
        self._connection.invalidate()
        self._connection.close()
