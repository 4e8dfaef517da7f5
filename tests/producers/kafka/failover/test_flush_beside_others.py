"""flush() returns when what was announced is acknowledged, in the spool, or told to be lost; also if another thread is
just seeing to that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from producers.kafka.failover.failover_pipeline import FailoverPipeline
from support.waiting import eventually


class NotedLock:
    """A lock that says when somebody has to wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_waited_for = threading.Event()

    def acquire(self, *given: Any) -> bool:
        if self._lock.locked():
            self.is_waited_for.set()
        return self._lock.acquire(*given)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def pipeline(tmp_path: Path) -> FailoverPipeline:
    made = FailoverPipeline(tmp_path)
    assert made.announce()
    made.transport.flush(1)
    made.broker.is_up = False
    for _ in range(3):
        assert made.announce()
    return made


class Held:
    """Something that begins, and ends when it is let."""

    def __init__(self, what: Callable[..., Any], done: list[str], name: str) -> None:
        self._what, self._done, self._name = what, done, name
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, *given: Any) -> Any:
        self.has_begun.set()
        assert self.may_end.wait(60)
        answer = self._what(*given)
        self._done.append(self._name)
        return answer


def in_thread(what: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=what, daemon=True)
    thread.start()
    return thread


def test_it_waits_for_another_that_writes_to_the_spool(pipeline: FailoverPipeline) -> None:
    done: list[str] = []
    lock = NotedLock()
    pipeline.transport._lock = lock  # type: ignore[assignment]
    lane = pipeline.transport._lanes["t"]
    spooling = Held(lane.append_all, done, "spooled")
    lane.append_all = spooling  # type: ignore[method-assign]
    going = in_thread(pipeline.be_silent)
    assert spooling.has_begun.wait(60)

    def flush() -> None:
        pipeline.transport.flush(60)
        done.append("flushed")

    flushing = in_thread(flush)
    eventually(lambda: lock.is_waited_for.is_set() or not flushing.is_alive())
    spooling.may_end.set()
    for thread in (going, flushing):
        thread.join(60)
    assert done == ["spooled", "flushed"]


def test_it_waits_for_another_that_tells_what_is_lost(pipeline: FailoverPipeline) -> None:
    done: list[str] = []
    telling = Held(lambda *_: None, done, "told")
    pipeline.transport.report_to(telling)
    pipeline.is_full = True
    going = in_thread(pipeline.be_silent)
    assert telling.has_begun.wait(60)

    def flush() -> None:
        pipeline.transport.flush(60)
        done.append("flushed")

    flushing = in_thread(flush)
    eventually(lambda: _waits(pipeline) or not flushing.is_alive())
    telling.may_end.set()
    for thread in (going, flushing):
        thread.join(60)
    assert done == ["told"] * 3 + ["flushed"]


def _waits(pipeline: FailoverPipeline) -> bool:
    """Whether somebody waits for those who tell."""
    condition: Any = getattr(pipeline.transport, "_told", None)
    return condition is not None and len(condition._waiters) > 0


def test_whoever_is_told_may_flush(pipeline: FailoverPipeline) -> None:
    """It would wait for itself."""
    told: list[bytes] = []

    def report(value: bytes, reason: str) -> None:
        told.append(value)
        pipeline.transport.flush(60)

    pipeline.transport.report_to(report)
    pipeline.is_full = True
    pipeline.be_silent()
    assert len(told) == 3
