"""MOCKS: a broker in this process, and librdkafka's producer and our shipping transport on it.

What a real broker does only in rare moments is done here on demand: to store without acknowledging, to store late what
the client has given up, to fail one event of many, to call back in any order.
"""

from __future__ import annotations

import json
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from oyez.producers.errors import TransportRefused
from oyez.producers.stamps import uuid7_text
from oyez.producers.transport import Lasting


class FakeBroker:
    """MOCK of a broker: what it has stored, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, bytes]] = []
        self.is_up = True
        self.refused: set[bytes] = set()
        """What it will never take, such as records that are too large for the topic."""

    def store(self, topic: str, value: bytes) -> None:
        self.log.append((topic, value))

    def firsts(self) -> list[tuple[str, str, int]]:
        """Topic, thread and number of each event, where it was stored first."""
        told = [(topic, json.loads(value)) for topic, value in self.log]
        seen = dict.fromkeys((topic, said["thread"], said["n"]) for topic, said in told)
        return list(seen)


class FakeMessage:
    """MOCK of confluent_kafka.Message."""

    def __init__(self, topic: str, value: bytes) -> None:
        self._topic, self._value = topic, value

    def topic(self) -> str:
        return self._topic

    def value(self) -> bytes:
        return self._value


class FakeProducer:
    """MOCK of confluent_kafka.Producer."""

    def __init__(self, config: Mapping[str, Any], broker: FakeBroker, dice: random.Random, room: int) -> None:
        self._failed: Callable[[KafkaError | None, Any], None] = config["on_delivery"]
        self._broker, self._dice, self._room = broker, dice, room
        self._lock = threading.RLock()
        self._fresh: dict[int, FakeMessage] = {}
        """What each thread has just produced. It is not sent before the thread is out of `produce`, and the real one
        waits for more to send with it."""
        self.queue: deque[FakeMessage] = deque()
        self.under_way: deque[FakeMessage] = deque()
        self.late: deque[FakeMessage] = deque()
        """Given up by the client, and perhaps stored yet."""
        self.calls: list[tuple[KafkaError, FakeMessage]] = []
        self.is_dead = False
        """It delivers nothing any more, and says so."""
        self.is_refused = False
        """Its batches are refused until it is emptied: for longer than that takes, no broker takes one after it has
        refused one."""
        self.in_the_middle: Callable[[], None] | None = None
        """Done by other threads while one is in `produce`, once."""

    def produce(self, topic: str, value: bytes, key: bytes | None, *_: object) -> None:
        if self.is_dead:
            raise KafkaException(KafkaError(KafkaError._FATAL, "there was a gap", fatal=True))
        if len(self) >= self._room:
            raise BufferError
        others, self.in_the_middle = self.in_the_middle, None
        if others is not None:
            others()
        with self._lock:
            me = threading.get_ident()
            self._settle([me])
            self._fresh[me] = FakeMessage(topic, value)

    def __len__(self) -> int:
        with self._lock:
            return len(self._fresh) + len(self.queue) + len(self.under_way) + len(self.calls)

    def settle(self) -> None:
        """Every thread is out of `produce`."""
        with self._lock:
            self._settle(list(self._fresh))

    def poll(self, _timeout: float) -> None:
        with self._lock:
            while self.calls and self._dice.random() < 0.7:
                self._call()

    def flush(self, _timeout: float) -> int:
        with self._lock:
            if self._broker.is_up:
                self._settle([threading.get_ident()])
                self.deliver(len(self))
            while self.calls:
                self._call()
            return len(self)

    def purge(self, *, in_queue: bool, in_flight: bool, blocking: bool) -> None:
        assert in_queue
        assert in_flight, "what is on its way would be stored before what was taken back"
        assert blocking
        with self._lock:
            self._settle(list(self._fresh))
            self._purge()

    def _purge(self) -> None:
        self.is_refused = False
        inside = [(KafkaError(KafkaError._PURGE_INFLIGHT), one) for one in self.under_way]
        outside = [(KafkaError(KafkaError._PURGE_QUEUE), one) for one in self.queue]
        self.late.extend(self.under_way)
        self.queue.clear()
        self.under_way.clear()
        self.calls += inside + outside
        self._dice.shuffle(self.calls)

    def send(self, count: int) -> None:
        """So many of the queue are on their way."""
        for _ in range(min(count, len(self.queue))):
            self.under_way.append(self.queue.popleft())

    def deliver(self, count: int, *, acknowledge: bool = True) -> None:
        """So many arrive."""
        with self._lock:
            self.send(count)
            for one in list(self.under_way)[: 0 if self.is_dead or self.is_refused else count]:
                self._broker.store(one._topic, one._value)
                if acknowledge:
                    self.under_way.popleft()

    def fail(self) -> None:
        """The broker refuses the first one, for ever."""
        self.send(1)
        if self.under_way:
            refused = self.under_way.popleft()
            self._broker.refused.add(refused._value)
            self.calls.append((KafkaError(KafkaError.INVALID_RECORD), refused))

    def fail_all(self) -> None:
        """All that is under way fails, for now."""
        error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
        self.send(len(self.queue))
        self.calls += [(error, one) for one in self.under_way]
        self.is_refused = self.is_refused or bool(self.under_way)
        self.under_way.clear()
        self._dice.shuffle(self.calls)

    def arrive_late(self) -> None:
        """What the client has given up is stored after all, one event."""
        if self.late:
            one = self.late.popleft()
            self._broker.store(one._topic, one._value)

    def _settle(self, threads: list[int]) -> None:
        self.queue.extend(self._fresh.pop(thread) for thread in threads if thread in self._fresh)

    def _call(self) -> None:
        self._failed(*self.calls.pop())


class FakeShipping:
    """MOCK of the transport that ships: what it takes is stored, up to where it fails."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self.fails_at: int | None = None
        self._taken: list[tuple[str, bytes]] = []
        self._report: Callable[[bytes, str], None] = lambda value, reason: None

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        if not self._broker.is_up:
            raise TransportRefused("the fake broker is away")
        if value in self._broker.refused:
            raise TransportRefused(Lasting("too large"))
        self._taken.append((topic, value))

    def flush(self, timeout: float) -> None:
        for n, (topic, value) in enumerate(self._taken):
            if self.fails_at is not None and n >= self.fails_at:
                self._report(value, "no acknowledgement")
            else:
                self._broker.store(topic, value)
        self._taken.clear()

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""


def event(thread: str, n: int, size: int = 0, **more: object) -> bytes:
    """An event as announced by a thread: its n-th."""
    said = {"specversion": "1.0", "type": "tested", "source": "web-1", "id": uuid7_text()}
    return json.dumps(
        said | {"partitionkey": thread, "thread": thread, "n": n, "pad": "x" * size} | more
    ).encode()
