"""A log that is polled while its worker is busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from oyez.consumers.logs.keepalive import KeepAlive
from oyez.consumers.logs.memory import MemoryGroup
from oyez.producers import MemoryBroker
from support.waiting import eventually


class Watched:
    """A log that sees who uses it, and when."""

    def __init__(self, log) -> None:
        self._log = log
        self.idles = 0
        self.inside = 0
        self.most = 0
        self.error: Exception | None = None
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __getattr__(self, name: str):
        def call(*given):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.threads.add(threading.current_thread().name)
            try:
                if name == "idle":
                    self.idles += 1
                    self.gate.wait(0.3)
                    if self.error is not None:
                        raise self.error
                return getattr(self._log, name)(*given)
            finally:
                self.inside -= 1

        return call


@pytest.fixture
def watched() -> Watched:
    broker = MemoryBroker(partitions=1)
    for n in range(3):
        broker.append("t", b"k", b"%d" % n)
    return Watched(MemoryGroup(broker, ["t"]).join())


@pytest.fixture
def keep_alive(watched: Watched) -> Iterator[KeepAlive]:
    log = KeepAlive(watched, after=0.05)  # type: ignore[arg-type]
    yield log
    log.close()
    assert watched.most == 1, "never two threads at once"


def test_it_is_polled_while_its_worker_is_busy_and_read_on_afterwards(
    keep_alive: KeepAlive, watched: Watched
) -> None:
    assert keep_alive.poll(1, 0) == []
    keep_alive.start(dict.fromkeys(keep_alive.gained(), 0))
    assert [record.value() for record in keep_alive.poll(1, 0)] == [b"0"]
    eventually(lambda: watched.idles >= 3)
    assert "oyez-watchdog" in watched.threads
    assert [record.value() for record in keep_alive.poll(5, 0)] == [b"1", b"2"]


def test_its_worker_waits_for_the_watchdog_s_poll(keep_alive: KeepAlive, watched: Watched) -> None:
    keep_alive.poll(1, 0)
    watched.gate.clear()
    eventually(lambda: watched.idles >= 1)
    keep_alive.positions()  # the fixture checks that nobody else was inside


def test_a_worker_that_polls_is_left_alone(watched: Watched) -> None:
    now = [0.0]
    log = KeepAlive(watched, after=1.0, clock=lambda: now[0])  # type: ignore[arg-type]
    for _ in range(20):
        log.poll(1, 0)
        now[0] += 0.9
    assert watched.idles == 0
    log.close()


def test_what_goes_wrong_meanwhile_is_raised_by_the_next_poll(
    keep_alive: KeepAlive, watched: Watched
) -> None:
    watched.error = ValueError("broken")
    keep_alive.poll(1, 0)
    eventually(lambda: watched.idles >= 1)
    with pytest.raises(ValueError, match="broken"):
        keep_alive.poll(1, 0)
    watched.error = None
    keep_alive.poll(1, 0)


def test_nothing_is_left_after_it_is_closed(watched: Watched) -> None:
    log = KeepAlive(watched, after=0.05)  # type: ignore[arg-type]
    log.poll(1, 0)
    log.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "oyez-watchdog"]
