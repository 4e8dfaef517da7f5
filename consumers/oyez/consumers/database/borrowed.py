"""A connection in a transaction that is somebody else's to end."""

from __future__ import annotations

from typing import NoReturn

from sqlalchemy import Connection, NestedTransaction, RootTransaction

from ..core.outcomes import HandlerMisuse


def refuse(what: str) -> NoReturn:
    """Raises `HandlerMisuse`: ``what`` a handler has called is not for it."""
    raise HandlerMisuse(
        f"the handler called {what}, which would end the transaction of its whole batch; remove the call: "
        f"Oyez commits when the batch is done. To undo a part, use `with db.begin_nested():`"
    )


class BorrowedConnection(Connection):
    """All of SQLAlchemy's, but what would end the transaction. Its owner calls `Connection`'s own."""

    def commit(self) -> None:
        refuse("Connection.commit()")

    def rollback(self) -> None:
        refuse("Connection.rollback()")

    def close(self) -> None:
        refuse("Connection.close()")

    def detach(self) -> None:
        refuse("Connection.detach()")

    def invalidate(self, exception: BaseException | None = None) -> None:
        if exception is None:
            refuse("Connection.invalidate()")
        super().invalidate(exception)  # SQLAlchemy's own call, when the connection is lost

    def get_transaction(self) -> RootTransaction | None:
        refuse("Connection.get_transaction()")

    def get_nested_transaction(self) -> NestedTransaction | None:
        refuse("Connection.get_nested_transaction()")
