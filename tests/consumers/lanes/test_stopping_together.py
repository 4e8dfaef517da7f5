"""A worker that stops while something hangs in its lanes: it commits what is done, and has one grace for all."""

from __future__ import annotations

from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from consumers.lanes.gated_handlers import Gates, in_threads, loose, offsets, step_until
from consumers.pipeline import Play, placed
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.lanes.lanes import Lanes
from oyez.consumers.worker.retry_loop import RetryLoop
from support.waiting import eventually

GRACE = 20.0


def test_what_ends_while_others_are_waited_for_is_committed(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, gates = loose(), Gates()
    in_threads(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(4)))
    step_until(pipeline, lambda: sorted(gates.begun) == [0, 1, 2, 3])
    (worker,) = pipeline.workers.values()
    committed: list[list[int]] = []

    def let_some() -> None:
        gates.let(0, 1)
        try:
            eventually(lambda: offsets(pipeline) == [2])
        finally:
            committed.append(offsets(pipeline))
            gates.let(2, 3)

    letting = Thread(target=let_some)
    stop = worker.reading.stop

    def stopped() -> None:
        stop()
        letting.start()

    monkeypatch.setattr(worker.reading, "stop", stopped)
    worker.finish()
    letting.join()
    assert committed == [[2]], "had it been killed now, these would not run again"
    assert offsets(pipeline) == [4]


class Hanging:
    """A dispatcher whose call never ends; time passes while it is waited for."""

    running = 1
    handler = SimpleNamespace(name="hold")

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[tuple[str, float]] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.said.append((name, self.now))


def test_lanes_have_what_is_left_of_the_grace() -> None:
    one = Hanging()
    retry_loop = RetryLoop("shop.loose", logging_instrument())
    lanes = Lanes(
        cast("Any", lambda _ended: [one]),
        retry_loop,
        group="shop.loose",
        grace=GRACE,
        timer=lambda: one.now,
    )
    lanes.start(lambda: True)
    assert lanes.grace_ends is None
    lanes.stop()
    assert lanes.grace_ends == GRACE
    assert ("finish", 0.0) in one.said, "nothing is begun from now on"
    one.now = GRACE + 5.0  # what else there was to wait for
    lanes.finish()
    assert ("cancel", GRACE + 5.0) in one.said
    assert one.now <= GRACE + 7.0
