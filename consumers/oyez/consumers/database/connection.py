"""The connection that handlers get: all of the batch's transaction, but its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn, Self

from sqlalchemy import Connection, CursorResult, NestedTransaction, RootTransaction, TextClause

from ..core.outcomes import HandlerMisuse
from .dialects.lookup import dialect_named

MARK = "oyez_mark"
_SPACE = r"(?:\s|--[^\n]*+|/\*(?>.*?\*/))*+"
_ENDING = re.compile(
    rf"^{_SPACE}(commit|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|end|abort|begin|start\s+transaction)\b"
    rf"|;{_SPACE}(commit|rollback|abort)(?:\s+(?:work|transaction))?{_SPACE};?{_SPACE}$",
    re.IGNORECASE | re.DOTALL,
)


def refuse(what: str) -> NoReturn:
    """Raises `HandlerMisuse`: ``what`` a handler has called is not for it."""
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

    def mark(self) -> None:
        """Mark where `back_to_mark` leads to. There is one mark at a time. (In the database's own words: SQLAlchemy's
        savepoints cost as much again, and can be gone back to once.)"""
        super().exec_driver_sql(f"SAVEPOINT {MARK}")

    def back_to_mark(self) -> None:
        """Undo what was done since the mark, with all that was left open. The mark stays."""
        while (inner := self.savepoint()) is not None:
            inner.close()
        super().exec_driver_sql(f"ROLLBACK TO SAVEPOINT {MARK}")

    def unmark(self) -> None:
        """What was done since the mark is done."""
        super().exec_driver_sql(f"RELEASE SAVEPOINT {MARK}")

    def move_mark(self) -> None:
        """Mark anew, here."""
        self.unmark()
        self.mark()

    def is_broken(self) -> bool:
        """Whether the transaction is over, or accepts nothing but its end; the driver knows without asking."""
        if not self.in_transaction():
            return True
        return dialect_named(self.dialect.name).is_over(self.connection.dbapi_connection)

    def begin(self) -> RootTransaction:
        return refuse("Connection.begin()") if self.in_transaction() else super().begin()

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

    def execute(self, statement: Any, *given: Any, **options: Any) -> CursorResult[Any]:
        if isinstance(statement, TextClause):
            _refuse_ending(statement.text)
        return super().execute(statement, *given, **options)

    def scalar(self, statement: Any, *given: Any, **options: Any) -> Any:
        return self.execute(statement, *given, **options).scalar()

    def exec_driver_sql(self, statement: str, *given: Any, **options: Any) -> CursorResult[Any]:
        _refuse_ending(statement)
        return super().exec_driver_sql(statement, *given, **options)


def _refuse_ending(statement: str) -> None:
    found = _ENDING.search(statement)
    if found:
        refuse(f"execute({found[1] or found[2]!r})")
