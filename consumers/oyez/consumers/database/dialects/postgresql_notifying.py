"""How PostgreSQL tells its connections something at once."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func
from sqlalchemy import select as query


class PostgresNotifier:
    """NOTIFY and LISTEN."""

    tells_what = True

    def notify(self, db: Connection, channel: str, messages: Iterable[str]) -> None:
        for message in messages:
            db.execute(query(func.pg_notify(channel, message)))

    def listen(self, connection: Connection, channel: str) -> None:
        connection.exec_driver_sql(f"LISTEN {channel}")

    def heard(self, connection: Connection) -> list[str]:
        driver: Any = connection.connection.dbapi_connection
        if not select.select([driver.fileno()], [], [], 0)[0]:
            return []
        return [notice.payload for notice in driver.notifies(timeout=0)]

    def leave(self, connection: Connection) -> None:
        """What listens is not given to anybody else."""
        connection.invalidate()
