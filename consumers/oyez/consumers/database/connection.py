"""What handlers get of the batch's transaction: all of it, but its end."""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from ..outcomes import HandlerMisuse


def _refuse(what: str) -> NoReturn:
    raise HandlerMisuse(
        f"the handler called {what}, which would end the transaction of its whole batch; remove the call: "
        f"Oyez commits when the batch is done. To undo a part, use begin_nested()"
    )


class HandlerConnection(Connection):
    """The batch's connection. Oyez ends its transaction through the transaction object, handlers cannot."""

    def commit(self) -> None:
        _refuse("Connection.commit()")

    def rollback(self) -> None:
        _refuse("Connection.rollback()")

    def close(self) -> None:
        _refuse("Connection.close()")

    def release(self) -> None:
        """Give the connection back to its pool; whatever was not committed is rolled back."""
        super().close()


class HandlerSession(Session):
    """A session joined to the batch's transaction: ``commit()`` only flushes (SQLAlchemy's "rollback_only")."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(bind=connection, join_transaction_mode="rollback_only")

    def rollback(self) -> None:
        _refuse("Session.rollback()")

    def settle(self) -> None:
        """Write what is pending and check that no error was swallowed, so that it lands on the handler that made it."""
        if not self.is_active or _is_aborted(self.connection()):
            raise HandlerMisuse(
                "the handler swallowed a database error that ended its transaction; "
                "put what may fail in `with db.begin_nested():`"
            )
        self.flush()

    def discard(self) -> None:
        """Forget everything; the transaction is somebody else's to end."""
        self.expunge_all()
        super().close()


def _is_aborted(connection: Connection) -> bool:
    """Whether PostgreSQL refuses everything until a rollback; the driver knows without asking."""
    if connection.dialect.name != "postgresql":
        return False
    status: Any = getattr(connection.connection.dbapi_connection, "info", None)
    return status is not None and status.transaction_status.name == "INERROR"
