"""A connection of Django's that is in a transaction of Oyez's: all of it, but its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.db import InternalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic
from sqlalchemy import NestedTransaction
from sqlalchemy.exc import DBAPIError

from ..core.outcomes import HandlerMisuse
from ..database.connection import HandlerConnection, may_set, refuse_ending


def refuse(what: str) -> NoReturn:
    """Raises `HandlerMisuse`: ``what`` a handler has called is not for it."""
    raise HandlerMisuse(
        f"the handler called {what}, which would end the transaction of its whole batch; remove the call: Oyez commits "
        f"when the batch is done. To undo a part, use `with transaction.atomic():`"
    )


class Borrowed(BaseDatabaseWrapper):
    """To Django it is within an outer ``atomic()``, which it never leaves. It is mixed into the class of a database's
    own connections: see `kinds`."""

    lent: HandlerConnection

    def begin(self, lent: HandlerConnection, real: BaseDatabaseWrapper) -> None:
        """Be the connection ``lent``, in place of the thread's ``real`` one."""
        self.lent = lent
        self.connection = lent.connection.driver_connection
        self.autocommit = False
        self.in_atomic_block = True
        self.atomic_blocks = [Atomic(self.alias, savepoint=False, durable=False)]
        self.savepoint_ids = []
        self.run_on_commit = []
        self.needs_rollback = self.closed_in_transaction = False
        self.execute_wrappers = [*real.execute_wrappers, self._execute]
        self._open: dict[str, NestedTransaction] = {}
        connections[self.alias] = self

    def finish(self) -> list[Callable[[], object]]:
        """The handler has returned: what it wants to be called after the commit. Raises `HandlerMisuse` if it has
        swallowed an error."""
        if self.needs_rollback or self.lent.is_broken():
            raise HandlerMisuse(
                "the handler swallowed a database error, or asked for a rollback; put what may fail in "
                "`with transaction.atomic():`"
            )
        for sid in reversed([*self._open]):
            self._savepoint_commit(sid)
        return [call for _, call, *_ in self.run_on_commit]

    def end(self, real: BaseDatabaseWrapper) -> None:
        """Be nothing any more; the thread has its own one back."""
        connections[self.alias] = real
        self.connection = None
        self.in_atomic_block = False
        self.atomic_blocks = []
        self.run_on_commit = []
        self.execute_wrappers = []
        self.queries_log.clear()
        self._open = {}

    def connect(self) -> None:
        refuse("connection.connect()")

    def close(self) -> None:
        refuse("connection.close()")

    def commit(self) -> None:
        refuse("transaction.commit()")

    def rollback(self) -> None:
        refuse("transaction.rollback()")

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        refuse(f"transaction.set_autocommit({autocommit})")

    def close_if_unusable_or_obsolete(self) -> None:
        """As long as it is lent it is neither."""

    def _savepoint(self, sid: str) -> None:
        with self._errors_of_djangos():
            self._open[sid] = self.lent.begin_nested()

    def _savepoint_commit(self, sid: str) -> None:
        """What was begun in it ends with it."""
        savepoint = self._open.pop(sid, None)
        if savepoint is None or not savepoint.is_active:
            return
        if self.lent.is_broken():
            self._open[sid] = savepoint  # it is to be rolled back
            raise InternalError("the transaction is over, or an error in it was swallowed")
        with self._errors_of_djangos():
            while (inner := self.lent.savepoint()) is not None and inner is not savepoint:
                inner.commit()
            savepoint.commit()

    def _savepoint_rollback(self, sid: str) -> None:
        """Django may go back to a savepoint again and again, until it is released."""
        savepoint = self._open[sid]
        with self._errors_of_djangos():
            self.lent.undo(savepoint)
            self._open[sid] = self.lent.begin_nested()

    def _execute(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Stands around each statement, as near to the database as Django lets it."""
        text = sql if isinstance(sql, str) else str(sql)
        try:
            refuse_ending(text)
        except HandlerMisuse:
            refuse(f"execute({text.strip()[:40]!r})")
        if may_set(text):
            self.lent.note_settings()
        return execute(sql, params, many, context)

    @contextmanager
    def _errors_of_djangos(self) -> Iterator[None]:
        with self.wrap_database_errors:
            try:
                yield
            except DBAPIError as error:
                if error.connection_invalidated or error.orig is None:
                    raise
                raise error.orig from error
