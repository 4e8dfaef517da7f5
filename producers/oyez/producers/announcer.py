"""Announcing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from oyez.schemas import Catalogue, OyezError, Signal, catalogue, decode
from oyez.schemas.encoding import Encoder

from .errors import AnnouncerClosed, NotAnnounced, TransportRefused, Undelivered
from .exits import at_exit, never_mind
from .failures import Failures, OnUndelivered, log_undelivered
from .forks import call_in_child
from .loggers import logger_named
from .outgoing import Route, name_of, typed
from .scheduling import NO_DATABASE, Scheduled, Schedules, When, nanoseconds
from .session import bound_session
from .stamps import TimeText, uuid7_text
from .tracing import announcing, find_tracer
from .transport import Database, JoinsTransaction, ReportsFailures, Transport

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from .expiring import Expires
    from .outbox import Outbox
    from .settings import Settings

log = logger_named("oyez.announcer")

Stamped = tuple[str, str, bytes | None, bytes]
"""An event's id, topic, key and bytes."""

What = tuple[Signal | type[Signal] | str | int, Mapping[str, Any] | str | bytes | None, str | None]
"""`signal`, `data` and `key`, as for announce()."""


class Announcer:
    """Announces events from one source over one transport.

    Many threads may use it at once, and it may be made before a fork. At exit it is closed, if not before.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        source: str,
        topic: str = "oyez.events",
        catalogue: Catalogue = catalogue,
        clock: Callable[[], int] = time.time_ns,
        new_id: Callable[[], str] = uuid7_text,
        on_undelivered: OnUndelivered = log_undelivered,
        flush_timeout: float = 10.0,
        schema: str | None = None,
    ) -> None:
        """`clock` gives nanoseconds since the epoch; `flush_timeout` is in seconds. `new_id` gives ids that sort in the
        order in which they were made: by it, events that Kafka did not take are written to the spool. `schema` is the
        one that Oyez's tables are in, for announcing in transactions.

        `on_undelivered(event, reason)` is called, from any thread, for each event that was announced and did
        not arrive. InvalidEvent: the source is empty or too long.
        """
        self.announced = 0
        """Events that this process has handed to the transport."""
        self._transport = transport
        self._send = transport.send
        self._joins: JoinsTransaction | None = transport if isinstance(transport, JoinsTransaction) else None
        self._source = source
        self._topic = topic
        self._catalogue = catalogue
        self._clock = clock
        self._new_id = new_id
        self._flush_timeout = flush_timeout
        self._schema = schema
        self._encode = Encoder(source, catalogue).encode
        self._time_text = TimeText()
        self._routes: dict[type, Route] = {}
        self._may_be_traced = True
        self._tracer: Tracer | None = None
        self._closed = False
        self._failures = Failures(on_undelivered, catalogue)
        if isinstance(transport, ReportsFailures):
            transport.report_to(self._failures.add)
        self._last_words = self._close_at_exit
        at_exit(self._last_words)
        call_in_child(self._begin_in_child)

    @classmethod
    def from_settings(cls, settings: Settings | None = None, **options: Any) -> Self:
        """An announcer as `settings` (or the environment and oyez.toml) say; `options` as for the class.

        SettingsError: a setting is wrong.
        """
        from .lookup import options_from, transport_from  # noqa: PLC0415 # whoever is given a transport reads no settings
        from .settings import Settings  # noqa: PLC0415 # as above

        settings = settings or Settings()
        return cls(transport_from(settings), **(options_from(settings) | options))

    @property
    def source(self) -> str:
        """The source of its events."""
        return self._source

    @property
    def undelivered(self) -> int:
        """Events of this process that were announced and did not arrive."""
        return self._failures.total

    def announce(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        key: str | None = None,
        db: Database | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        expires: Expires | None = None,
    ) -> str:
        """Announce one event; the answer is its id.

        `signal` is the event itself, or a signal's name, number or class with `data`: a dict of its fields, or their
        JSON as text, which is validated as JSON (a request's body, say). The key is `key`, else the signal's key field
        (which is filled in if `data` lacks it), else the bound visitor session. With `db` the event joins that
        transaction: it leaves once that is committed, and never otherwise.

        `at`, a moment with a zone, or `after`, the time until then: it stays in the database of `db` until it is due.
        `expires`, a moment with a zone, or a time that counts from the event's: from then on no handler is given it.

        UnknownSignal, InvalidEvent: it may not be announced. NotAnnounced: the transport did not take it; the error
        carries the event. AnnouncerClosed: after close().
        """
        if at is not None or after is not None:
            return self._schedule((signal, data, key), db, When.of(at, after), expires)
        if self._may_be_traced and (tracer := self.tracer()) is not None:
            with self.traced(tracer, (signal, data, key), None, expires) as stamped:
                return self._hand_over(stamped, db)
        event_id, topic, keyed, value = stamped = self.stamped(signal, data, key, "", None, expires)
        if db is not None:
            return self._hand_over(stamped, db)
        try:  # as `_hand_over`: on this way each call counts
            self._send(topic, keyed, value)
        except TransportRefused as refused:
            raise self._not_announced(value, refused) from None
        self.announced += 1
        return event_id

    def _schedule(self, what: What, db: Database | None, when: When, expires: Expires | None) -> str:
        """Keep an event until it is due. It is written now, with that moment as its time."""
        value = b""
        try:
            if db is None:
                raise TransportRefused(NO_DATABASE)
            schedules = self._scheduling(db)
            due = when.due(now := schedules.now_in(db))
            if due <= now:
                return self.announce(*what[:2], key=what[2], db=db, expires=expires)
            told, tracer = (nanoseconds(due), expires), self.tracer()
            made = self.traced(tracer, what, *told) if tracer else nullcontext(self.stamped(*what, "", *told))
            with made as (event_id, topic, keyed, value):
                event = decode(value, (), None, self._catalogue)
                said = event.signal, event.source, event_id, event.subject
                schedules.schedule_in(db, Scheduled(topic, keyed, value, *said, due, now))
        except TransportRefused as refused:
            raise self._not_announced(value or self.stamped(*what, "", None, expires)[3], refused) from None
        self.announced += 1
        return event_id

    def _hand_over(self, stamped: Stamped, db: Database | None) -> str:
        event_id, topic, keyed, value = stamped
        try:
            if db is None:
                self._send(topic, keyed, value)
            else:
                self._joining(db).send_in(db, topic, keyed, value)
        except TransportRefused as refused:
            raise self._not_announced(value, refused) from None
        self.announced += 1
        return event_id

    def _not_announced(self, value: bytes, refused: TransportRefused) -> NotAnnounced:
        return NotAnnounced(decode(value, (), None, self._catalogue), refused.reason)

    def tracer(self) -> Tracer | None:
        """What traces announcing, if the application has set up that. It is looked for again with each signal that is
        announced for the first time, and after a fork."""
        if self._tracer is None and self._may_be_traced:
            self._tracer = find_tracer()
            self._may_be_traced = self._tracer is not None
        return self._tracer

    @contextmanager
    def traced(
        self, tracer: Tracer, what: What, time: int | None = None, expires: Expires | None = None
    ) -> Iterator[Stamped]:
        """As `stamped`, in a span that lasts until whoever is given the event has handed it over."""
        with announcing(tracer, name_of(self._catalogue, what[0])) as span:
            stamped = self.stamped(*what, span.members, time, expires)
            span.describe(stamped[1], self._source, stamped[0])
            yield stamped

    def stamped(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None,
        key: str | None,
        trace: str = "",
        time: int | None = None,
        expires: Expires | None = None,
    ) -> Stamped:
        """The id, topic, key and bytes of an event as it would be handed to the transport now; it is not. Arguments and
        errors as for announce(); `trace` as for `Encoder.encode`; `time` in ns since the epoch, now unless given."""
        if self._closed:
            raise AnnouncerClosed("this announcer is closed; announce before close(), or make another one")
        event: Any = signal
        route = self._routes.get(type(signal)) if data is None else None
        if route is None:
            event, route = self._typed(signal, data, key)
        key, subject = route.identify(event, key)
        event_id = self._new_id()
        time = self._clock() if time is None else time
        if expires is not None:
            from .expiring import expiring  # noqa: PLC0415 # few events expire

            trace += expiring(expires, time)
        stamp = self._time_text(time)
        value = self._encode(event, event_id, stamp, key, subject, trace)
        return event_id, route.topic, None if key is None else key.encode(), value

    def flush(self, timeout: float | None = None) -> None:
        """Wait until everything has arrived, `timeout` seconds at most; what has not by then is given up.

        Undelivered: something did not arrive, now or since the last flush; it lists what.
        """
        self._transport.flush(self._flush_timeout if timeout is None else timeout)
        self._failures.raise_new()

    def take_undelivered(self) -> Undelivered | None:
        """The error with what did not arrive since the last flush(), which raises it no more; None: all did."""
        return self._failures.take_new()

    def close(self, timeout: float | None = None) -> None:
        """flush() for the last time, and let go of the transport. Later calls do nothing."""
        if self._closed:
            return
        self._closed = True
        never_mind(self._last_words)
        self._transport.close(self._flush_timeout if timeout is None else timeout)
        self._failures.raise_new()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _typed(
        self, signal: Signal | type[Signal] | str | int, data: object, key: str | None
    ) -> tuple[Signal, Route]:
        event = typed(self._catalogue, signal, data, bound_session() if key is None else key)
        route = self._routes.get(type(event))
        if route is None:
            route = self._routes[type(event)] = Route.of(self._catalogue[type(event)], self._topic)
            self._may_be_traced = True
        return event, route

    def _joining(self, db: Any) -> JoinsTransaction:
        """What takes events into the transaction of ``db``: the outbox, which needs SQLAlchemy, unless the transport
        does it itself. Who passes db= has imported that already, and nobody else is to."""
        return self._outbox if self._joins is None else self._joins

    def _scheduling(self, db: Any) -> Schedules:
        return self._outbox

    @cached_property
    def _outbox(self) -> Outbox:
        from .outbox import Outbox  # noqa: PLC0415 # see above

        return Outbox(self._clock, self._schema)

    def _begin_in_child(self) -> None:
        self.announced = 0
        self._may_be_traced = True
        self._failures.forget()

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except OyezError as error:
            log.error("at exit: %s", error)
