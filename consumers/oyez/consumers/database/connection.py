"""The connection that handlers get: all of the batch's transaction, but its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import (
    Connection,
    CursorResult,
    NestedTransaction,
    PoolProxiedConnection,
    RootTransaction,
    Select,
    TextClause,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.functions import FunctionElement

from oyez.producers.database_errors import one_line
from oyez.producers.outbox import SCHEMA

from ..core.outcomes import HandlerMisuse
from .borrowed import BorrowedConnection, refuse
from .committed import AfterCommit
from .deferring import Deferring
from .dialects.lookup import dialect_named
from .schema import schema_of
from .wording import ENDING, SETTING

MARK = "oyez_mark"
_MAP = "schema_translate_map"


def may_set(statement: Any) -> bool:
    """Whether a statement may change settings: it says so, or calls nothing but a function."""
    if isinstance(statement, str):
        return SETTING.search(statement) is not None
    if isinstance(statement, TextClause):
        return SETTING.search(statement.text) is not None
    if isinstance(statement, Select):
        return not statement.columns_clause_froms
    return isinstance(statement, FunctionElement)


class HandlerConnection(BorrowedConnection):
    """The batch's connection. Oyez ends its transaction through the transaction object, handlers cannot."""

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """The same connection as ``connection``, in whose transaction handlers are to run, seen by them."""
        seen = cls.__new__(cls)
        seen.__dict__ = connection.__dict__
        return seen

    @classmethod
    def over_callers(cls, connection: Connection) -> Self:
        """The same over the connection of a caller, whose own settings are to stay as they are."""
        seen = cls.over(connection)
        seen.__dict__["is_callers"] = True
        return seen

    @contextmanager
    def own_map(self) -> Iterator[None]:
        """Oyez's tables stay where they are, also under a caller's own map of schemas."""
        before = self._execution_options
        self.execution_options(**{_MAP: before.get(_MAP)})
        try:
            yield
        finally:
            self._execution_options = before

    def watch(self) -> None:
        """Handlers are called from now on, until the session is discarded: see `set_back`."""
        self.__dict__["watched"] = self._execution_options
        self.__dict__.pop("before", None)

    def set_back(self) -> None:
        """What a handler has set is gone. Raises `HandlerMisuse` for what cannot be."""
        self._execution_options = self.__dict__["watched"]
        before = self.__dict__.get("before")
        if before is None:
            return
        try:
            dialect = dialect_named(self.dialect.name)
            if "is_callers" in self.__dict__:
                dialect.set_back_in_transaction(self, before)
            else:
                dialect.set_back_session(self, before)
        except DBAPIError as error:
            raise HandlerMisuse(
                f"the handler has set what cannot be set back within the transaction: {one_line(error)}"
            ) from error
        finally:
            del self.__dict__["before"]

    def execution_options(self, **given: Any) -> Self:
        """As SQLAlchemy's; a map of schemas is for the handler's tables, and Oyez's stay where they are."""
        if given.get(_MAP):
            given[_MAP] = {**given[_MAP], SCHEMA: schema_of(self).place()}
        super().execution_options(**given)
        return self

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
        self._execution_options = self.__dict__.pop("watched", self._execution_options)
        self.__dict__.pop("before", None)

    @contextmanager
    def deferring(self) -> Iterator[None]:
        """In the block, what handlers write is kept, and sent together: see `Deferring`. At its end all is sent."""
        plain, outer = self._execution_options, self.savepoint()

        def execute(statement: Any, parameters: Any) -> CursorResult[Any]:
            options, self._execution_options = self._execution_options, plain
            try:
                return super(HandlerConnection, self).execute(statement, parameters)
            finally:
                self._execution_options = options

        kept = Deferring(execute)
        if not self.dispatch.before_execute:  # such a listener may add what the handler has in hand
            self.__dict__.update(deferring=kept, outer=outer)
        try:
            yield
            kept.send()
        finally:
            kept.forget()
            self.__dict__.pop("deferring", None)

    def send(self) -> None:
        """Send what was kept; nothing of it waits any more."""
        deferring = self.__dict__.get("deferring")
        if deferring is not None and not deferring.is_sending:
            deferring.send()
            if not deferring.pays():
                self.__dict__.pop("deferring", None)

    def _kept(
        self, statement: Any, given: Sequence[Any], options: Mapping[str, Any]
    ) -> CursorResult[Any] | None:
        """The result of a statement that is kept; None if it is to be sent now, and all that was kept has been."""
        deferring: Deferring = self.__dict__["deferring"]
        if deferring.is_sending:
            return None
        parameters = (given[0] if given else None) or {}
        is_plain = (
            type(parameters) is dict
            and not any(options.values())
            and self.savepoint() is self.__dict__["outer"]
        )
        if is_plain and self._execution_options is self.__dict__.get("watched"):
            kept = deferring.keep(statement, parameters)
            if kept is not None:
                return kept
        self.send()
        return None

    @property
    def connection(self) -> PoolProxiedConnection:
        """The driver's, as SQLAlchemy has it. Whoever has it may send, and see, what we do not: nothing more is kept in
        this call."""
        deferring = self.__dict__.get("deferring")
        if deferring is not None and not deferring.is_sending:
            self.send()
            self.__dict__.pop("deferring", None)
        return super().connection

    def begin_nested(self) -> NestedTransaction:
        self.send()
        for write in self.__dict__.get("pending", ()):
            write()
        savepoint = super().begin_nested()
        if "calls" in self.__dict__:
            self.after_commit.mark(savepoint)
        return savepoint

    @property
    def after_commit(self) -> AfterCommit:
        """What is called once this transaction is committed; what was added since a savepoint, or the mark, goes with
        it. Raises `HandlerMisuse` where a caller commits, whom nobody hears of."""
        if "is_callers" in self.__dict__:
            raise HandlerMisuse(
                "the handler runs in the transaction of whoever announced the event; nothing can be called after that"
            )
        calls: AfterCommit = self.__dict__.setdefault("calls", AfterCommit())
        return calls

    def release(self) -> None:
        """Give the connection back to its pool; whatever was not committed is rolled back."""
        Connection.close(self)

    def savepoint(self) -> NestedTransaction | None:
        """The savepoint that the connection is in."""
        return Connection.get_nested_transaction(self)

    def known_tables(self) -> dict[str, bool] | None:
        """What this transaction has found out of the tables that handlers write to: see `in_columns`. It is true
        as long as their locks are held; so what is found within a savepoint is not kept. None: names may mean other
        tables than they did."""
        if "watched" not in self.__dict__ or "is_callers" in self.__dict__ or "before" in self.__dict__:
            return None
        known: dict[str, bool] = self.__dict__.setdefault("tables", {})
        return known if self.savepoint() is None else {}

    def undo(self, savepoint: NestedTransaction) -> None:
        """Roll back to a savepoint, with all that was left open inside it."""
        while (inner := self.savepoint()) is not None and inner is not savepoint:
            inner.close()
        savepoint.close()
        if "calls" in self.__dict__:
            self.after_commit.back_to(savepoint)

    def mark(self) -> None:
        """Mark where `back_to_mark` leads to. There is one mark at a time. (In the database's own words: SQLAlchemy's
        savepoints cost as much again, and can be gone back to once.)"""
        super().exec_driver_sql(f"SAVEPOINT {MARK}")
        if "calls" in self.__dict__:
            self.after_commit.mark(MARK)

    def back_to_mark(self) -> None:
        """Undo what was done since the mark, with all that was left open. The mark stays."""
        self.__dict__.pop("tables", None)
        while (inner := self.savepoint()) is not None:
            inner.close()
        super().exec_driver_sql(f"ROLLBACK TO SAVEPOINT {MARK}")
        if "calls" in self.__dict__:
            self.after_commit.back_to(MARK)

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
        return dialect_named(self.dialect.name).is_over(self.connection.driver_connection)

    def begin(self) -> RootTransaction:
        return refuse("Connection.begin()") if self.in_transaction() else super().begin()

    def execute(self, statement: Any, *given: Any, **options: Any) -> CursorResult[Any]:
        if "deferring" in self.__dict__ and (kept := self._kept(statement, given, options)) is not None:
            return kept
        if isinstance(statement, TextClause):
            refuse_ending(statement.text)
        if "watched" in self.__dict__ and may_set(statement):
            self.note_settings()
        return super().execute(statement, *given, **options)

    def scalar(self, statement: Any, *given: Any, **options: Any) -> Any:
        return self.execute(statement, *given, **options).scalar()

    def exec_driver_sql(self, statement: str, *given: Any, **options: Any) -> CursorResult[Any]:
        self.send()
        refuse_ending(statement)
        if "watched" in self.__dict__ and may_set(statement):
            self.note_settings()
        return super().exec_driver_sql(statement, *given, **options)

    def note_settings(self) -> None:
        """What is set now is what `set_back` sets: a handler is about to change it."""
        if "before" not in self.__dict__:
            self.__dict__["before"] = None  # so that the question itself is not asked about
            self.__dict__["before"] = dialect_named(self.dialect.name).settings(self)


def refuse_ending(statement: str) -> None:
    """Raises `HandlerMisuse` for a statement that would end the transaction."""
    found = ENDING.search(statement)
    if found:
        refuse(f"execute({found[1] or found[2]!r})")
