"""Tools: what a handler gets by annotating a parameter with their class, beside the database itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oyez.schemas import Event, Signal

from ..core.outcomes import HandlerMisuse
from ..core.tool_context import ToolContext

if TYPE_CHECKING:  # a handler that needs no database does not load SQLAlchemy
    from sqlalchemy import Insert

    from ..database.connection import HandlerConnection

EventId = tuple[str, str]
MANY = 1_000  # rows after which those that are pending are written


class Tool:
    """Something that works in the handler's transaction. A handler asks for it by annotation, with a subclass::

        class Ledger(Tool):
            def book(self, account: str, cents: int) -> None:
                self.db.execute(insert(entries).values(account=account, cents=cents))

        @on(OrderPaid)
        def book(order: OrderPaid, ledger: Ledger) -> None:
            ledger.book("sales", order.cents)

    One is made for some events of a batch at a time, and another one when they are run again. ``db`` is the connection
    of the handler's transaction, ``handler`` the handler's name, and ``context`` has the application, the settings and
    the clock.
    """

    def __init__(self, context: ToolContext, handler: str, db: HandlerConnection) -> None:
        self.context = context
        self.handler = handler
        self.db = db

    @classmethod
    def refusal(cls, app: str, handler: str) -> str | None:
        """Why a handler of this name cannot have this tool, and the way out; None if it can. It is asked for when
        the handler is registered."""
        return None

    @classmethod
    def refusal_of_async(cls) -> str | None:
        """Why an ``async def`` cannot have this tool, and the way out; None if it can."""
        return None

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        """The handler is called for these events next; ``cause`` is the one, unless it takes a batch."""

    def finish(self) -> None:
        """The handler has returned each time: write what is pending, in its transaction."""

    def end(self) -> None:
        """It is over, whatever came of it: let go of what was taken. Called behind `finish`, and also without it."""


class Causes:
    """Which event a handler is called for, and which events it may name as the cause of what it does."""

    def __init__(self, handler: str) -> None:
        self._handler = handler
        self._events: Sequence[Event[Any]] = ()
        self._known: dict[int, EventId] = {}
        self._cause: EventId | None = None

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        """As `Tool.begin`."""
        self._events = events
        self._known.clear()
        self._cause = None if cause is None else (cause.source, cause.id)

    def of(self, named: Signal | Event[Any] | None) -> EventId | None:
        """The (source, id) of the event that was named (the `Event` or the model itself), else of the one that the
        handler is called for; None for a batch of which none was named. Raises `HandlerMisuse` for another event."""
        if named is None:
            return self._cause
        if not self._known:
            self._known = {id(one): (e.source, e.id) for e in self._events for one in (e, e.data)}
        if id(named) in self._known:
            return self._known[id(named)]
        raise HandlerMisuse(
            f"{self._handler}: cause= must be one of the events that the handler was given, as it was"
        )


class Pending:
    """Rows that a tool writes many at once, when the handler has returned.

    What is added within a savepoint of the handler's own is written at once, and what was added before it before it,
    so that what goes with the savepoint is what was added in it.
    """

    def __init__(self, db: HandlerConnection, statement: Insert) -> None:
        self._db = db
        self._statement = statement
        self._outside = db.savepoint()
        self._rows: list[dict[str, Any]] = []
        db.before_savepoints(self.write)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row, now or later, behind those that were added before. Raises `HandlerMisuse` in a savepoint of an
        ``async def``, which cannot wait for that here."""
        is_inside, waits = self._db.savepoint() is not self._outside, self._db.dialect.is_async
        if is_inside and waits:
            raise HandlerMisuse("the handler announces or mails within begin_nested(); do that outside of it")
        self._rows.append(row)
        if is_inside or (len(self._rows) >= MANY and not waits):
            self.write()

    def write(self) -> None:
        """Write what is pending."""
        rows, self._rows = self._rows, []
        if rows:
            self._db.execute(self._statement, rows)
