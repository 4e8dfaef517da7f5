"""Announcing from a handler: in its transaction, and under the same ids when it runs again for the same event."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from oyez.producers.expiring import Expires, expiring
from oyez.producers.outbox import INSERT, SCHEDULE, row
from oyez.producers.outgoing import Route, typed
from oyez.producers.scheduling import Scheduled, When, nanoseconds
from oyez.producers.session import bound_session
from oyez.producers.stamps import TimeText
from oyez.producers.tracing import announcing, find_tracer
from oyez.schemas import Event, Signal
from oyez.schemas.encoding import Encoder
from oyez.schemas.text import flaw

from ..core.outcomes import HandlerMisuse
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from .tools import Causes, EventId, Pending, Tool

_VERSION, _VARIANT = 8 << 76, 2 << 62
_FREE = ~(0xF << 76 | 3 << 62)


def source_of(app: str, handler: str) -> str:
    """The source of the events that a handler announces."""
    return f"{app}/{handler}"


def event_id(app: str, handler: str, cause: EventId, signal: str, n: int) -> str:
    """The id of what a handler announces as its ``n``-th (from 0) of ``signal`` for the event ``cause``, which is
    (source, id): a UUIDv8, the same on every run."""
    said = json.dumps([app, handler, *cause, signal, n]).encode()
    number = int.from_bytes(hashlib.sha256(said).digest()[:16], "big")
    return str(UUID(int=number & _FREE | _VERSION | _VARIANT))


class HandlerAnnouncer(Tool):
    """Announces events in the transaction of the handler that has asked for it by annotation::

        @on(OrderPaid)
        def ship(order: OrderPaid, db: Session, announcer: HandlerAnnouncer) -> None:
            announcer.announce(ParcelDue(order_id=order.order_id))

    They are written into the outbox and leave once the transaction is committed; if it is rolled back they were never
    announced. When the handler runs again for the same event, the same announcements get the same ids, so that
    whoever has taken them already does not take them again. Their source is ``<app>/<handler>``.
    """

    def __init__(self, context: ToolContext, handler: str, db: HandlerConnection) -> None:
        super().__init__(context, handler, db)
        self._pending = Pending(db, INSERT)
        self._scheduled = Pending(db, SCHEDULE)
        self._source = source_of(context.app, handler)
        self._encode = Encoder(self._source, context.signals).encode
        self._tracer = find_tracer()
        self._time_text = TimeText()
        self._routes: dict[type, Route] = {}
        self._causes = Causes(handler)
        self._counts: Counter[tuple[EventId, str]] = Counter()

    @classmethod
    def refusal(cls, app: str, handler: str) -> str | None:
        """The source of what it announces has to be one that an event may have."""
        source = source_of(app, handler)
        reason = flaw(source)
        return (
            reason and f"what it announces has the source {source!r}, which {reason}; give it a shorter name="
        )

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        """What is counted for an event begins at 0 with each run of it."""
        self._causes.begin(events, cause)
        self._counts.clear()

    def finish(self) -> None:
        """Write what was announced."""
        self._pending.write()
        self._scheduled.write()

    def announce(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        key: str | None = None,
        cause: Signal | Event[Any] | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        expires: Expires | None = None,
    ) -> str:
        """Announce one event; the answer is its id.

        `signal`, `data`, `key`, `at`, `after`, `expires` as for `Announcer.announce`. ``cause`` is the event that it is
        announced for: a handler of a batch must name one of those that it was given (the `Event` or the model itself),
        one of single events need not. The time is that of the run whose transaction was committed.

        UnknownSignal, InvalidEvent: it may not be announced. HandlerMisuse: no cause, or none of this handler's.
        """
        because = self._caused_by(cause)
        when = None if at is None and after is None else When.of(at, after)
        event = typed(self.context.signals, signal, data, bound_session() if key is None else key)
        route = self._route(type(event))
        if self._tracer is None:
            return self._announce(event, route, key, because, when, expires)
        with announcing(self._tracer, route.name) as span:
            made = self._announce(event, route, key, because, when, expires, span.members)
            span.describe(route.topic, self._source, made)
            return made

    def _announce(
        self,
        event: Signal,
        route: Route,
        key: str | None,
        because: EventId,
        when: When | None,
        expires: Expires | None,
        trace: str = "",
    ) -> str:
        key, subject = route.identify(event, key)
        made = event_id(
            self.context.app, self.handler, because, route.name, self._counts[because, route.name]
        )
        now = self.context.clock()
        due = now if when is None else max(now, when.due(now))
        if expires is not None:
            trace += expiring(expires, nanoseconds(due))
        stamp = self._time_text(nanoseconds(due))
        value = self._encode(event, id=made, time=stamp, key=key, subject=subject, trace=trace)
        keyed = None if key is None else key.encode()
        if due > now:
            later = Scheduled(route.topic, keyed, value, route.name, self._source, made, subject, due, now)
            self._scheduled.add(later.row())
        else:
            self._pending.add(row(route.topic, keyed, value, now))
        self._counts[because, route.name] += 1
        self.context.announced += 1
        return made

    def _route(self, model: type[Signal]) -> Route:
        if model not in self._routes:
            self._routes[model] = Route.of(self.context.signals[model], self.context.settings.topic)
        return self._routes[model]

    def _caused_by(self, cause: Signal | Event[Any] | None) -> EventId:
        found = self._causes.of(cause)
        if found is not None:
            return found
        raise HandlerMisuse(
            f"{self.handler} takes a batch: say for which of its events it announces, announce(…, cause=event), "
            f"so that the id is the same when that is handled again"
        )
