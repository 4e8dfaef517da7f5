"""The session that handlers get: all of the batch's transaction, but its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session, SessionTransaction

from ..core.outcomes import HandlerMisuse
from .borrowed import refuse
from .connection import HandlerConnection

if TYPE_CHECKING:
    from ..core.tool_context import ToolContext


class HandlerSession(Session):
    """A session joined to the batch's transaction: ``commit()`` only flushes.

    ``mode`` is SQLAlchemy's ``join_transaction_mode``. "rollback_only" costs nothing, but a failed flush ends
    the transaction; "create_savepoint" keeps it.
    """

    def __init__(self, connection: HandlerConnection, mode: Any, tool_context: ToolContext) -> None:
        super().__init__(bind=connection, join_transaction_mode=mode)
        self.joined = connection
        self.tool_context = tool_context
        self._savepoint = connection.savepoint()
        connection.watch()

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Nothing but a savepoint, which is there at once and not only from the session's next statement on: the
        session is not alone on its connection."""
        if not nested:
            refuse("Session.begin()")
        savepoint = super().begin(nested=True)
        self.connection()
        return savepoint

    def rollback(self) -> None:
        refuse("Session.rollback()")

    def close(self) -> None:
        refuse("Session.close()")

    def reset(self) -> None:
        refuse("Session.reset()")

    def invalidate(self) -> None:
        refuse("Session.invalidate()")

    def get_transaction(self) -> SessionTransaction | None:
        refuse("Session.get_transaction()")

    def get_nested_transaction(self) -> SessionTransaction | None:
        refuse("Session.get_nested_transaction()")

    def settle(self) -> None:
        """Write what is pending and check that no error was swallowed, so that it lands on the handler that made it."""
        if not self.is_active or self.joined.is_broken():
            raise HandlerMisuse(
                "the handler swallowed a database error that ended its transaction; "
                "put what may fail in `with db.begin_nested():`"
            )
        if not self.in_nested_transaction():
            self.commit()
        if self.joined.savepoint() is not self._savepoint:
            raise HandlerMisuse(
                "the handler left a savepoint open; write `with db.begin_nested():`, which releases it"
            )
        self.joined.set_back()

    def discard(self) -> None:
        """Forget everything; the transaction is somebody else's to end."""
        self.joined.forget_pending()
        self.expunge_all()
        super().close()
