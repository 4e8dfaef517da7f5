"""When a log is held against those who append to it while it is shipped: never while the broker is away."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import pytest

from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool import Segments
from oyez.producers.spool.folder import LOCK
from oyez.producers.spool.reader import LogReader
from oyez.producers.spool_shipping import LogShipper, SpoolShipper, Stuck
from oyez.producers.spool_shipping.lock import FileLock
from oyez.producers.transport import Lasting
from producers.kafka.failover.fakes import FakeBroker, FakeShipping, event
from producers.spool_shipping.logs_to_ship import end, marked, never, spooled, the_log

FORK = multiprocessing.get_context("fork")
GRIP = 1.0


def is_free(path: Path) -> bool:
    """Whether anybody could append."""
    with FileLock(path / LOCK).held_if_free() as is_ours:
        return is_ours


class Call(NamedTuple):
    """What was asked of the transport, from when, and until when it might have lasted; whether anybody could append."""

    name: str
    began: float
    until: float
    could_append: bool


class Noting(FakeShipping):
    """MOCK that notes what it is asked for, and takes its time to deliver."""

    def __init__(self, path: Path, takes: float = 0.0) -> None:
        self.broker = FakeBroker()
        super().__init__(self.broker)
        self.folder, self.takes, self.now = path / "t", takes, 0.0
        self.most = 1_000_000
        self.calls: list[Call] = []

    def timer(self) -> float:
        return self.now

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        if not self._taken:  # here a new client connects
            self.calls.append(Call("send", self.now, self.now, is_free(self.folder)))
        super().send(topic, key, value)

    def flush(self, timeout: float) -> None:
        self.calls.append(Call("flush", self.now, self.now + timeout, is_free(self.folder)))
        self.now += min(self.takes, timeout)
        if self.takes > timeout:
            self._refuse_all("not acknowledged within the time given")
        elif len(self._taken) > self.most:
            self._refuse_all(Lasting("the batch is too large"))
        super().flush(timeout)

    def held(self) -> list[Call]:
        """What was asked while nobody could append."""
        return [call for call in self.calls if not call.could_append]

    def _refuse_all(self, reason: str) -> None:
        for _, value in self._taken:
            self._report(value, reason)
        self._taken.clear()


def small(path: Path, count: int) -> Sequence[int]:
    """A log of so many events that several batches of them are near its end."""
    writer = spooled(path, 0, limit=10_000_000)
    writer.append_all([_small(n) for n in range(count)])
    return range(count)


def _small(n: int) -> bytes:
    return b'{"specversion":"1.0","id":"%d","source":"s","type":"t"}' % n


def arrived(shipping: Noting) -> list[int]:
    return [int(json.loads(value)["id"]) for _, value in shipping.broker.log]


@pytest.mark.parametrize("count", [3, 3_000])
def test_nobody_waits_for_a_broker_that_is_away(tmp_path: Path, count: int) -> None:
    spooled(tmp_path, count, size=300, limit=10_000_000)
    shipping = Noting(tmp_path)
    shipping.broker.is_up = False
    for _ in range(3):  # each with a client of its own, as processes have that take turns
        assert SpoolShipper([tmp_path], "t", lambda: OrderedSender(shipping)).run(never).stuck
    assert [call.name for call in shipping.calls] == ["send", "flush"] * 3
    assert shipping.held() == []


def test_nobody_waits_for_a_broker_that_has_frozen(tmp_path: Path) -> None:
    """Its clients are connected already."""
    spooled(tmp_path, 3)
    shipping = Noting(tmp_path)
    log = LogShipper(the_log(tmp_path), timer=shipping.timer, grip=GRIP)
    assert log.ship(OrderedSender(shipping), never) == 3
    spooled(tmp_path, 3)
    shipping.takes = 1e9
    for _ in range(3):
        with pytest.raises(Stuck):
            log.ship(OrderedSender(shipping), never)
    assert shipping.held() == []


def test_nobody_waits_for_a_broker_that_is_slow(tmp_path: Path) -> None:
    small(tmp_path, 4_000)
    shipping = Noting(tmp_path, takes=2 * GRIP)
    log = LogShipper(the_log(tmp_path), timer=shipping.timer, grip=GRIP)
    assert log.ship(OrderedSender(shipping), never) == 4_000
    assert shipping.held() == []


def test_what_is_only_quarantined_does_not_say_that_the_broker_is_there(tmp_path: Path) -> None:
    writer = spooled(tmp_path, 0)
    writer.append_all([b"no event", event("a", 0)])
    shipping = Noting(tmp_path)
    shipping.broker.is_up = False
    with pytest.raises(Stuck):
        LogShipper(the_log(tmp_path), timer=shipping.timer).ship(OrderedSender(shipping), never)
    assert shipping.held() == []


@pytest.mark.parametrize("most", [1_000_000, 500])
def test_nobody_waits_longer_than_is_said(tmp_path: Path, most: int) -> None:
    """At a time, whatever is shipped: many batches, or batches that the broker finds too large."""
    events = small(tmp_path, 4_500)
    shipping = Noting(tmp_path, takes=0.375 * GRIP)
    shipping.most = most
    LogShipper(the_log(tmp_path), timer=shipping.timer, grip=GRIP).ship(OrderedSender(shipping), never)
    spans = [list(calls) for free, calls in groupby(shipping.calls, attrgetter("could_append")) if not free]
    assert len(spans) > 1
    for calls in spans:
        assert calls[-1].until - calls[0].began <= GRIP
    assert list(dict.fromkeys(arrived(shipping))) == list(events)


def test_no_batch_is_begun_that_would_have_to_be_given_up(tmp_path: Path) -> None:
    small(tmp_path, 4_500)
    shipping = Noting(tmp_path, takes=0.375 * GRIP)
    LogShipper(the_log(tmp_path), timer=shipping.timer, grip=GRIP).ship(OrderedSender(shipping), never)
    held = [call for call in shipping.held() if call.name == "flush"]
    assert [call.until - call.began >= shipping.takes for call in held] == [True] * len(held)


def test_the_end_is_read_while_nobody_appends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a writer could not force to disk it takes back: until then it is there, and must not be shipped."""
    spooled(tmp_path, 3)
    could_append: list[bool] = []
    read = LogReader.read

    def noting(self: LogReader, position: int, limit: int) -> tuple[list[int], list[bytes], int]:
        could_append.append(is_free(tmp_path / "t"))
        return read(self, position, limit)

    monkeypatch.setattr(LogReader, "read", noting)
    assert LogShipper(the_log(tmp_path)).ship(OrderedSender(FakeShipping(FakeBroker())), never) == 3
    assert could_append == [False]


def test_what_was_taken_back_before_it_was_read_is_not_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled(tmp_path, 1)
    log, shipping = LogShipper(the_log(tmp_path)), Noting(tmp_path)
    seen, true_end = [end(tmp_path) + 100] * 2, Segments.end  # as it begins, and as it goes on
    log.ship(OrderedSender(shipping), never)
    monkeypatch.setattr(Segments, "end", lambda self: seen.pop() if seen else true_end(self))
    assert log.ship(OrderedSender(shipping), never) == 0


class NotingKafka(KafkaTransport):
    """The transport to Kafka; notes whether anybody can append before it connects, and when it has tried to."""

    def __init__(self, folder: Path, notes: Path) -> None:
        super().__init__("127.0.0.1:1", announce_timeout=0.2)
        self._folder, self._notes = folder, notes

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self._note()
        try:
            super().send(topic, key, value)
        finally:
            self._note()

    def _note(self) -> None:
        with self._notes.open("a") as out:
            out.write("free\n" if is_free(self._folder) else "held\n")


def ship_to_nobody(path: Path, notes: Path) -> None:
    """Passes of a process, each with a client that connects anew."""
    spool_shipper = SpoolShipper([path], "t", lambda: OrderedSender(NotingKafka(path / "t", notes)))
    for _ in range(2):
        assert spool_shipper.run(never).stuck
        spool_shipper.rest()


def test_a_process_that_ships_to_a_port_where_nobody_listens_holds_nobody_up(tmp_path: Path) -> None:
    path, notes = tmp_path / "spool", tmp_path / "notes"
    spooled(path, 5)
    child = FORK.Process(target=ship_to_nobody, args=(path, notes))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert notes.read_text().split() == ["free"] * 4
    assert not marked(path)
    assert end(path) > 0
