"""Announcing in asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from oyez.schemas import Catalogue, Event, OyezError, Signal, catalogue, decode

from .announcer import Announcer, Stamped, What
from .errors import AnnouncerClosed, NotAnnounced, Undelivered
from .exits import at_exit, never_mind
from .failures import OnUndelivered, log_undelivered
from .forks import call_in_child
from .group_commit import GroupCommit, Waiting
from .loggers import logger_named
from .lost import Lost
from .own_loop import OwnLoop
from .pass_thread import PassThread
from .stamps import uuid7_text
from .transport import Transport

if TYPE_CHECKING:
    from .expiring import Expires
    from .settings import Settings
    from .transport import AsyncDatabase

log = logger_named("oyez.announcer")

_LAST_WORDS = 1.0
"""Seconds for the answers that closing the transport has made."""


class AsyncAnnouncer:
    """Announces events from one source over one transport, in one event loop, which it never blocks.

    What is announced at once shares one flush: those that come while one is under way share the next. It may be made
    before a fork, and before its event loop. At exit it is closed, if not before.
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
        """As for `Announcer`. `flush_timeout`: seconds that an event may take to arrive after it was handed to the
        transport. `on_undelivered` also gets what the transport did not take when whoever awaited that was cancelled.

        It belongs to the loop that runs now, else to the first in which it is used.
        """
        self._read: Callable[[bytes], Event[Any]] = partial(_read, catalogue)
        self._lost = Lost(on_undelivered, self._read)
        self._announcer = Announcer(
            transport,
            source=source,
            topic=topic,
            catalogue=catalogue,
            clock=clock,
            new_id=new_id,
            on_undelivered=self._lost.note,
            flush_timeout=flush_timeout,
            schema=schema,
        )
        self._flush_timeout = flush_timeout
        flush = partial(transport.flush, flush_timeout)
        undelivered = self._announcer.take_undelivered
        self._commits = GroupCommit(transport, flush, undelivered, self._lost, self._read)
        self._thread = PassThread("oyez-announcer", lambda: self._commits)
        self._own_loop = OwnLoop()
        self._will_wake = False
        self._closed = False
        self._last_words = self._close_at_exit
        at_exit(self._last_words)
        call_in_child(self._begin_in_child)

    @classmethod
    def from_settings(cls, settings: Settings | None = None, **options: Any) -> Self:
        """An announcer as `settings` (or the environment and oyez.toml) say; `options` as for the class.

        SettingsError: a setting is wrong.
        """
        from .lookup import options_from, transport_from  # noqa: PLC0415 # see Announcer
        from .settings import Settings  # noqa: PLC0415 # as above

        settings = settings or Settings()
        return cls(transport_from(settings), **(options_from(settings) | options))

    @property
    def source(self) -> str:
        """The source of its events."""
        return self._announcer.source

    @property
    def announced(self) -> int:
        """Events that this process has handed to the transport."""
        return self._announcer.announced + self._commits.taken

    @property
    def undelivered(self) -> int:
        """Events of this process that did not arrive: of those that the transport had taken, and of those that it did
        not take when nobody awaited that any more."""
        return self._announcer.undelivered + self._lost.abandoned

    async def announce(
        self,
        signal: Signal | type[Signal] | str | int,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        key: str | None = None,
        db: AsyncDatabase | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        expires: Expires | None = None,
    ) -> str:
        """Announce one event; the answer is its id. It is stored then: as after announce() and flush() of `Announcer`.

        The arguments are those of `Announcer.announce()`. With `db` the event joins that transaction: it leaves once
        that is committed, and never otherwise.

        UnknownSignal, InvalidEvent: it may not be announced; at once. NotAnnounced: the transport did not take it;
        Undelivered: it took it, and it did not arrive in time. Either carries the event, and is raised for no other
        one. Whoever is cancelled while he awaits this has announced all the same. OtherLoop: this announcer belongs to
        another event loop. AnnouncerClosed: after aclose().
        """
        loop = self._open_loop()
        if not (db is None and at is None and after is None):
            announce = partial(
                self._announcer.announce, signal, data, key=key, at=at, after=after, expires=expires
            )
            if db is None:
                return announce()  # refused: what is announced later needs it
            return await self._announce_in(db, announce, (signal, data, key))
        tracer = self._announcer.tracer()
        if tracer is None:
            return await self._commit(self._announcer.stamped(signal, data, key, "", None, expires), loop)
        with self._announcer.traced(tracer, (signal, data, key), None, expires) as stamped:
            return await self._commit(stamped, loop)

    async def pass_on(self, event: Stamped) -> str:
        """Let an event leave that was made elsewhere: its id, topic, key and bytes. The answer, and the errors of the
        transport, are those of announce()."""
        return await self._commit(event, self._open_loop())

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        loop = self._own_loop.here()
        if self._closed:
            raise AnnouncerClosed("this announcer is closed; announce before aclose(), or make another one")
        return loop

    async def _commit(self, stamped: Stamped, loop: asyncio.AbstractEventLoop) -> str:
        event_id, topic, keyed, value = stamped
        waiting = Waiting(event_id, (topic, keyed, value), loop.create_future())
        self._commits.add(waiting)
        if not self._will_wake:
            # Not now: whoever announces in this turn of the loop shares the flush.
            self._will_wake = True
            loop.call_soon(self._wake)
        try:
            await waiting.answer
        except asyncio.CancelledError:
            self._commits.give_up(waiting)
            raise
        return event_id

    async def aclose(self, timeout: float | None = None) -> None:
        """Let what was announced arrive, for `timeout` seconds at most, and let go of the transport. Whoever awaits an
        event gets his answer. Later calls do nothing."""
        self._own_loop.here()
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._close, self._flush_timeout if timeout is None else timeout)

    async def __aenter__(self) -> Self:
        self._own_loop.here()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _announce_in(self, db: AsyncDatabase, announce: Callable[..., str], what: What) -> str:
        from sqlalchemy.ext.asyncio import (  # noqa: PLC0415 # who passes db= has it
            AsyncConnection,
            AsyncSession,
            async_scoped_session,
        )

        if isinstance(db, async_scoped_session):
            db = db()
        if isinstance(db, AsyncSession | AsyncConnection):
            return await db.run_sync(lambda there: announce(db=there))
        raise NotAnnounced(
            self._read(self._announcer.stamped(*what)[3]),
            "db= must be a SQLAlchemy AsyncSession or AsyncConnection, in whose transaction it goes; "
            f"not {type(db).__name__}, which would block the event loop",
        )

    def _wake(self) -> None:
        self._will_wake = False
        if why := self._thread.wake():
            self._commits.refuse(f"no thread can be started to send it: {why}")

    def _close(self, timeout: float) -> None:
        """In a thread that may block. The first pass may still be to come; what a stuck one leaves over is refused, and
        what it has in hand is answered when the transport is closed."""
        until = time.monotonic() + timeout
        never_mind(self._last_words)
        if (
            self._commits.is_waited_for() and self._thread.wake()
        ):  # at the end of an interpreter no thread begins
            self._commits.run(lambda: False, True)
        self._thread.finish(timeout)
        self._commits.refuse("the announcer was closed before it left")
        try:
            self._announcer.close(max(0.0, until - time.monotonic()))
        except Undelivered as undelivered:
            log.debug("raised already to whoever awaited it: %s", undelivered)
        finally:
            self._thread.finish(_LAST_WORDS)

    def _begin_in_child(self) -> None:
        self._own_loop.forget()
        self._will_wake = False
        self._commits.forget()

    def _close_at_exit(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._close(self._flush_timeout)
        except OyezError as error:
            log.error("at exit: %s", error)


def _read(catalogue: Catalogue, value: bytes) -> Event[Any]:
    return decode(value, (), None, catalogue)
