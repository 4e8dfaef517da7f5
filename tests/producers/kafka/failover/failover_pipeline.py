"""A failover transport on a fake producer and real files, played step by step."""

from __future__ import annotations

import errno
import json
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from oyez.producers.errors import TransportRefused
from oyez.producers.kafka.failover import FailoverTransport, Outlet, State
from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool import Writer
from oyez.producers.spool_shipping import SpoolShipper
from producers.kafka.failover.fakes import FakeBroker, FakeProducer, FakeShipping, event

TIMEOUT = 5.0
ROOM = 8


class FullDisk(Writer):
    """MOCK of a disk that is full when it is said to be."""

    is_full: Callable[[], bool] = staticmethod(lambda: False)

    def _write(self, lines: bytes) -> None:
        if self.is_full():
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write(lines)


class Quiet:
    """A background that ships nothing by itself."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    def finish(self, timeout: float) -> None:
        """Nothing is under way."""


class FailoverPipeline:
    """One announcing process, its broker and its spool. Time passes when it is told to."""

    def __init__(self, path: Path, seed: int = 0) -> None:
        self.path, self.dice, self.now = path, random.Random(seed), 0.0
        self.broker, self.is_full = FakeBroker(), False
        self.shipping = FakeShipping(self.broker)
        self.announced: list[tuple[str, str, int]] = []
        self.lost: list[tuple[str, int]] = []
        self.counts: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """A process begins; what another had in its queue is gone with it."""
        self.background = Quiet()
        self.transport = FailoverTransport(
            self._outlet,
            self.path,
            self._writer,
            self.background,
            clock=self._tick,  # type: ignore[arg-type]
        )
        self.transport._ended.set()  # nobody looks at it from time to time but who plays it
        self.transport.report_to(self._undelivered)
        self.spool_shipper = SpoolShipper([self.path], "t", lambda: OrderedSender(self.shipping))

    @property
    def producer(self) -> FakeProducer:
        assert self.transport._outlet is not None
        made = self.transport._outlet.producer
        assert isinstance(made, FakeProducer)
        return made

    def announce(self, thread: str = "a", topic: str = "t") -> bool:
        """Announce the thread's next event; whether it was taken."""
        n = self.counts[thread] = self.counts.get(thread, -1) + 1
        try:
            self.transport.send(topic, thread.encode(), event(thread, n))
        except TransportRefused:
            return False
        self.announced.append((topic, thread, n))
        if threading.current_thread() is threading.main_thread():
            self.producer.settle()
        return True

    def state(self, topic: str = "t") -> State:
        return self.transport._lanes[topic].state

    def be_silent(self) -> None:
        """For so long that it is noticed; the client's thread looks once a second."""
        for _ in range(7):
            self.now += 1
            self.transport.look()

    def ship(self) -> int:
        return self.spool_shipper.run(lambda: False).shipped

    def settle(self) -> None:
        """All is well again, and everything has its time."""
        self.is_full, self.broker.is_up = False, True
        self.shipping.fails_at = None
        self.transport.flush(1)
        self.ship()

    def check(self) -> None:
        """Everything that was taken has arrived, or was told to be lost; in each thread's order for each topic."""
        firsts = self.broker.firsts()
        told = {*self.lost, *self.quarantine()}
        kept = [one for one in self.announced if (one[1], one[2]) not in told]
        assert sorted(set(kept) - set(firsts)) == [], "announced, and neither arrived nor told to be lost"
        for topic, thread in {one[:2] for one in firsts}:
            numbers = [n for where, who, n in firsts if (where, who) == (topic, thread)]
            assert numbers == sorted(numbers), f"{thread} in {topic}"

    def quarantine(self) -> list[tuple[str, int]]:
        """What the broker refused for ever: the thread and number of each."""
        found = []
        for file in self.path.glob("*/refused.ndjson"):
            for line in file.read_text().splitlines():
                said = json.loads(json.loads(line)["record"])
                found.append((said["thread"], said["n"]))
        return found

    def _outlet(self, topics: Collection[str]) -> Outlet:
        def make(config: Mapping[str, Any]) -> FakeProducer:
            return FakeProducer(config, self.broker, self.dice, ROOM)

        return Outlet({}, TIMEOUT, make=make, clock=lambda: self.now)

    def _writer(self, path: Path, topic: str) -> Writer:
        made = FullDisk(path, topic, fsync="never", segment_bytes=2_000)
        made.is_full = lambda: self.is_full
        return made

    def _tick(self) -> float:
        self.now += 0.01
        return self.now

    def _undelivered(self, value: bytes, _reason: str) -> None:
        said = json.loads(value)
        self.lost.append((said["thread"], said["n"]))


def numbers(found: Sequence[tuple[str, str, int]]) -> list[int]:
    return [n for _, _, n in found]
