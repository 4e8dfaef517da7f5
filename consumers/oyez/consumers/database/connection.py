"""What handlers get of the batch's transaction: all of it, but its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Self

from sqlalchemy import Connection, CursorResult, NestedTransaction, RootTransaction, TextClause
from sqlalchemy.orm import Session, SessionTransaction

from ..core.outcomes import HandlerMisuse
from .dialects.lookup import dialect_named

if TYPE_CHECKING:
    from ..core.tool_context import ToolContext

_SPACE = r"(?:\s|--[^\n]*+|/\*(?>.*?\*/))*+"
_ENDING = re.compile(
    rf"^{_SPACE}(commit|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|end|abort|begin|start\s+transaction)\b"
    rf"|;{_SPACE}(commit|rollback|abort)(?:\s+(?:work|transaction))?{_SPACE};?{_SPACE}$",
    re.IGNORECASE | re.DOTALL,
)


def _refuse(what: str) -> NoReturn:
    raise HandlerMisuse(
        f"the handler called {what}, which would end the transaction of its whole batch; remove the call: "
        f"Oyez commits when the batch is done. To undo a part, use `with db.begin_nested():`"
    )


class HandlerConnection(Connection):
    """The batch's connection. Oyez ends its transaction through the transaction object, handlers cannot."""

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """The same connection as ``connection``, in whose transaction handlers are to run, seen by them."""
        seen = cls.__new__(cls)
        seen.__dict__ = connection.__dict__
        return seen

    def begin_at_once(self) -> None:
        """Begin in the database's own words, where the driver would do so only before the first write."""
        statement = dialect_named(self.dialect.name).begin
        if statement is not None:
            super().exec_driver_sql(statement)

    def before_savepoints(self, write: Callable[[], None]) -> None:
        """Call ``write`` before each savepoint from now on, until the session is discarded: what is pending then is not
        to be undone with it."""
        self.__dict__.setdefault("pending", []).append(write)

    def forget_pending(self) -> None:
        """Whoever had something pending is done, or has failed."""
        self.__dict__.pop("pending", None)

    def begin_nested(self) -> NestedTransaction:
        for write in self.__dict__.get("pending", ()):
            write()
        return super().begin_nested()

    def release(self) -> None:
        """Give the connection back to its pool; whatever was not committed is rolled back."""
        super().close()

    def savepoint(self) -> NestedTransaction | None:
        """The savepoint that the connection is in."""
        return super().get_nested_transaction()

    def undo(self, savepoint: NestedTransaction) -> None:
        """Roll back to a savepoint, with all that was left open inside it."""
        while (inner := self.savepoint()) is not None and inner is not savepoint:
            inner.close()
        savepoint.close()

    def is_broken(self) -> bool:
        """Whether the transaction is over, or accepts nothing but its end; the driver knows without asking."""
        if not self.in_transaction():
            return True
        return dialect_named(self.dialect.name).is_over(self.connection.dbapi_connection)

    def begin(self) -> RootTransaction:
        return _refuse("Connection.begin()") if self.in_transaction() else super().begin()

    def commit(self) -> None:
        _refuse("Connection.commit()")

    def rollback(self) -> None:
        _refuse("Connection.rollback()")

    def close(self) -> None:
        _refuse("Connection.close()")

    def detach(self) -> None:
        _refuse("Connection.detach()")

    def invalidate(self, exception: BaseException | None = None) -> None:
        if exception is None:
            _refuse("Connection.invalidate()")
        super().invalidate(exception)  # SQLAlchemy's own call, when the connection is lost

    def get_transaction(self) -> RootTransaction | None:
        _refuse("Connection.get_transaction()")

    def get_nested_transaction(self) -> NestedTransaction | None:
        _refuse("Connection.get_nested_transaction()")

    def execute(self, statement: Any, *given: Any, **options: Any) -> CursorResult[Any]:
        if isinstance(statement, TextClause):
            _refuse_ending(statement.text)
        return super().execute(statement, *given, **options)

    def scalar(self, statement: Any, *given: Any, **options: Any) -> Any:
        return self.execute(statement, *given, **options).scalar()

    def exec_driver_sql(self, statement: str, *given: Any, **options: Any) -> CursorResult[Any]:
        _refuse_ending(statement)
        return super().exec_driver_sql(statement, *given, **options)


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

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Nothing but a savepoint, which is there at once and not only from the session's next statement on: the
        session is not alone on its connection."""
        if not nested:
            _refuse("Session.begin()")
        savepoint = super().begin(nested=True)
        self.connection()
        return savepoint

    def rollback(self) -> None:
        _refuse("Session.rollback()")

    def close(self) -> None:
        _refuse("Session.close()")

    def reset(self) -> None:
        _refuse("Session.reset()")

    def invalidate(self) -> None:
        _refuse("Session.invalidate()")

    def get_transaction(self) -> SessionTransaction | None:
        _refuse("Session.get_transaction()")

    def get_nested_transaction(self) -> SessionTransaction | None:
        _refuse("Session.get_nested_transaction()")

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

    def discard(self) -> None:
        """Forget everything; the transaction is somebody else's to end."""
        self.joined.forget_pending()
        self.expunge_all()
        super().close()


def _refuse_ending(statement: str) -> None:
    found = _ENDING.search(statement)
    if found:
        _refuse(f"execute({found[1] or found[2]!r})")
