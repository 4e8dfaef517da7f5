"""A transport that does what a test says: it stands in for brokers and disks that refuse, lose and take their time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from oyez.producers import TransportRefused
from oyez.producers.transport import Encoded
from oyez.schemas import decode
from producers.shop import known

bound: ContextVar[str] = ContextVar("bound", default="nothing")


def number_of(value: bytes) -> str:
    """What a test calls an event: its url."""
    return str(decode(value, (), None, known).data.url)


class ScriptedTransport:
    """Takes events, unless they are to be refused; what it has taken is stored by a flush, unless it is to be lost."""

    def __init__(self) -> None:
        self.refused: dict[str, BaseException] = {}
        """What `send` raises for these events."""
        self.lost: set[str] = set()
        """Events that a flush finds not to have arrived."""
        self.flush_raises: BaseException | None = None
        self.taken: list[bytes] = []
        self.sent: list[str] = []
        self.stored: list[str] = []
        self.flushes: list[int] = []
        """How many events each flush was for."""
        self.contexts: list[str] = []
        self.threads: set[str] = set()
        self.may_flush = threading.Event()
        self.may_flush.set()
        self.is_flushing = threading.Event()
        self.closed = 0
        self._report: Callable[[bytes, str], None] = lambda _value, _reason: None

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.threads.add(threading.current_thread().name)
        self.contexts.append(bound.get())
        if (error := self.refused.get(number_of(value))) is not None:
            raise error
        self.taken.append(value)
        self.sent.append(number_of(value))

    def flush(self, timeout: float) -> None:
        self.flushes.append(len(self.taken))
        self.is_flushing.set()
        assert self.may_flush.wait(60)
        while self.taken:
            value = self.taken.pop(0)
            if number_of(value) in self.lost:
                self._report(value, "lost on its way")
            elif self.flush_raises is None:
                self.stored.append(number_of(value))
        if self.flush_raises is not None:
            raise self.flush_raises

    def close(self, timeout: float) -> None:
        self.closed += 1
        if self.taken:
            self.flush(timeout)


class TakesManyAtOnce(ScriptedTransport):
    """The same, of many events at once."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.raises: BaseException | None = None

    def send_many(self, events: Sequence[Encoded]) -> Sequence[TransportRefused | None]:
        self.calls.append(len(events))
        if self.raises is not None:
            raise self.raises
        outcome: list[TransportRefused | None] = []
        for event in events:
            try:
                self.send(*event)
                outcome.append(None)
            except TransportRefused as refused:
                outcome.append(refused)
        return outcome
