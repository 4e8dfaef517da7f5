"""What a process says of itself over time: after what is nobody's fault it has the whole time again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oyez.consumers.handlers import callers
from oyez.consumers.health.beat import born_at, read
from oyez.consumers.health.heart import Heart
from oyez.consumers.health.judging import Problem, problems
from oyez.consumers.health.pulse import Pulse, WorkerPulse
from oyez.consumers.health.writing import File
from oyez.consumers.instrumentation import events
from support.waiting import eventually

LIMIT = 120.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def judged(pulse: Pulse, clock: Clock) -> list[Problem]:
    beat = pulse.beat(os.getpid(), born_at(os.getpid()))
    return list(problems([beat], clock()))


def asked(standing: str, why: str = "") -> events.LogAsked:
    return events.LogAsked("w", standing, why, False, ())  # type: ignore[arg-type]


def test_a_join_that_had_to_wait_for_the_broker_has_the_whole_time_again(clock: Clock) -> None:
    pulse = WorkerPulse("w[0]", LIMIT, clock)
    pulse.receive(events.WorkerStarted("w"))
    pulse.receive(asked("silent", "the broker has not answered for 16 s"))
    clock.now += 3 * LIMIT
    pulse.receive(asked("silent", "the broker has not answered for 376 s"))
    assert [one.is_stuck for one in judged(pulse, clock)] == [False]
    pulse.receive(asked("outside", "the broker says of the group: it waits for its members to join anew"))
    (problem,) = judged(pulse, clock)
    assert problem.reason.startswith("it joins its group")
    assert not problem.is_stuck
    clock.now += LIMIT + 1
    pulse.receive(asked("outside", "the same"))
    assert judged(pulse, clock)[0].is_stuck


@pytest.mark.parametrize("doing", ["starting", "joining"])
def test_after_a_freeze_too(clock: Clock, doing: str) -> None:
    pulse = Pulse("w[0]", LIMIT, clock)
    pulse.begin(doing)
    clock.now += 3 * LIMIT
    pulse.begin_anew()
    (problem,) = judged(pulse, clock)
    assert not problem.is_stuck


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """A handler that does not return before it is told to."""
    made = threading.Event()
    yield made
    made.set()


def test_a_handler_that_hangs_is_told_though_something_was_waited_for(
    tmp_path: Path, hanging: threading.Event
) -> None:
    """The database is back, and the batch that is tried again gets into a handler that does not return."""
    pulse = WorkerPulse("w[0]", 3.0)
    path = str(tmp_path / "1-2" / "0")

    def hang(_event: object) -> None:
        hanging.wait(60)

    def work() -> None:
        pulse.receive(events.DatabaseLost("w", "the database does not answer"))
        with Heart(pulse, File(path)):
            waiting.wait(60)
            callers._each_plain(hang)([None], None)  # as it is called by a worker

    waiting = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()

    def found() -> list[str]:
        beat = read(path)
        return [] if beat is None else [str(one) for one in problems([beat], time.monotonic())]

    eventually(lambda: found() == ["w[0]: the database does not answer"])
    waiting.set()
    eventually(lambda: any("a handler has not returned" in one for one in found()))
    hanging.set()
    thread.join()
