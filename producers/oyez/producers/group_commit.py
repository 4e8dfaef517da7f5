"""One flush for all that was announced while the last one was under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from oyez.schemas import Event

from .errors import NotAnnounced, TransportRefused, Undelivered
from .lost import Loss, Lost
from .pass_thread import Next
from .transport import Encoded, TakesMany, Transport

Outcome = BaseException | None
"""Why an event is not known to be stored; None: it is."""


class Waiting:
    """An event on its way, and the answer that somebody waits for."""

    __slots__ = ("answer", "context", "event", "id")

    def __init__(self, event_id: str, event: Encoded, answer: asyncio.Future[None]) -> None:
        """`answer` belongs to the running loop."""
        self.id = event_id
        self.event = event
        self.answer = answer
        self.context = copy_context()  # handlers that run at once see what whoever announces has bound


class GroupCommit:
    """Passes that send what was announced since the last one, flush once for all of it, and answer each.

    One thread does passes; another, the event loop's, adds. Whoever takes an event out of `_pending` answers it, so
    that each is sent at most once and answered once.
    """

    def __init__(
        self,
        transport: Transport,
        flush: Callable[[], None],
        undelivered: Callable[[], Undelivered | None],
        lost: Lost,
        read: Callable[[bytes], Event[Any]],
    ) -> None:
        """`flush` waits until all has arrived or failed, and raises what the transport's does. `undelivered` gives the
        error with what has failed then; of what could be read of that, `lost` was told before. `read` decodes an event.
        """
        self._transport = transport
        self._flush = flush
        self._undelivered = undelivered
        self._lost = lost
        self._read = read
        self._pending: deque[Waiting] = deque()
        self.taken = 0
        """Events that the transport has taken."""

    def add(self, waiting: Waiting) -> None:
        """Send it with the next pass."""
        self._pending.append(waiting)

    def is_waited_for(self) -> bool:
        """Whether the next pass has something to send."""
        return bool(self._pending)

    def run(self, stop: Callable[[], bool], is_last: bool, /) -> Next:
        """One pass, in a thread that may block."""
        batch = self._take()
        if batch:
            self._answer(batch, self._judged(batch))
        return Next(is_done=not self._pending)

    def close(self) -> None:
        """The transport is another's to close."""

    def refuse(self, reason: str) -> None:
        """Answer what waits for a pass that will not come."""
        batch = self._take()
        if batch:
            self._answer(batch, [NotAnnounced(self._read(one.event[2]), reason) for one in batch])

    def give_up(self, waiting: Waiting) -> None:
        """Nobody waits for this answer any more, which may just have come: that it did not leave is still told."""
        answer = waiting.answer
        if answer.done() and not answer.cancelled() and (error := answer.exception()) is not None:
            self._abandon(waiting, error)

    def forget(self) -> None:
        """Begin again, as a forked child does: what waits is its parent's to send."""
        self._pending = deque()
        self.taken = 0
        self._lost.forget()

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        with suppress(IndexError):  # whoever closes took the rest
            for _ in range(len(self._pending)):
                taken.append(self._pending.popleft())
        return taken

    def _judged(self, batch: Sequence[Waiting]) -> Sequence[Outcome]:
        """What became of each. Whatever happens, nobody waits for ever."""
        try:
            return self._outcomes(batch)
        except BaseException as error:  # noqa: BLE001 # whoever waits hears of it
            return [_raisable(error)] * len(batch)

    def _outcomes(self, batch: Sequence[Waiting]) -> list[Outcome]:
        sent = self._sent(batch)
        self.taken += sent.count(None)
        if all(sent):
            return sent
        doubt = self._flushed()
        failed = self._lost.take()
        return [error or self._arrived(one, failed, doubt) for one, error in zip(batch, sent, strict=True)]

    def _sent(self, batch: Sequence[Waiting]) -> list[Outcome]:
        if not isinstance(self._transport, TakesMany):
            return [self._send(one) for one in batch]
        try:
            refused = self._transport.send_many([one.event for one in batch])
        except BaseException as error:  # noqa: BLE001 # whoever waits hears of it
            return [_raisable(error)] * len(batch)
        return [self._refused(one, error) for one, error in zip(batch, refused, strict=True)]

    def _send(self, one: Waiting) -> Outcome:
        try:
            one.context.run(self._transport.send, *one.event)
        except TransportRefused as error:
            return self._refused(one, error)
        except BaseException as error:  # noqa: BLE001 # whoever waits hears of it
            return _raisable(error)
        return None

    def _refused(self, one: Waiting, error: TransportRefused | None) -> Outcome:
        return None if error is None else NotAnnounced(self._read(one.event[2]), error.reason)

    def _flushed(self) -> str | None:
        """Flush; why nothing of this batch is known to have arrived, unless that is said of each event."""
        doubt = None
        try:
            self._flush()
        except TransportRefused as refused:
            doubt = refused.reason
        except BaseException as error:  # noqa: BLE001 # whoever waits hears of it
            doubt = " ".join(f"{type(error).__name__}: {error}".split())
        undelivered = self._undelivered()
        if undelivered is not None and undelivered.count > self._lost.noted():
            return doubt or "an event that did not arrive cannot be read back"
        return doubt

    def _arrived(self, one: Waiting, failed: dict[str, Loss], doubt: str | None) -> Outcome:
        if one.id in failed:
            return Undelivered([failed[one.id]], 1)
        return None if doubt is None else Undelivered([(self._read(one.event[2]), doubt)], 1)

    def _answer(self, batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
        """Once for all: a call from another thread wakes the loop."""
        try:
            batch[0].answer.get_loop().call_soon_threadsafe(self._settle, batch, outcomes)
        except RuntimeError:  # the loop is closed, so nobody waits
            for one, error in zip(batch, outcomes, strict=True):
                self._abandon(one, error)

    def _settle(self, batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
        for one, error in zip(batch, outcomes, strict=True):
            if one.answer.done():  # whoever waited was cancelled
                self._abandon(one, error)
            elif error is None:
                one.answer.set_result(None)
            else:
                one.answer.set_exception(error)

    def _abandon(self, one: Waiting, error: Outcome) -> None:
        """Tell what nobody is there to be told. What the flush has found was told already."""
        if error is not None and not isinstance(error, Undelivered):
            reason = error.reason if isinstance(error, NotAnnounced) else str(error)
            self._lost.abandon(one.event[2], reason)


def _raisable(error: BaseException) -> BaseException:
    """A future does not take StopIteration, which would end whoever awaits it."""
    return RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
