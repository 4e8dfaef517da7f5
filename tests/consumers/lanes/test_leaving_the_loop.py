"""A worker that leaves: the event loop that its lanes share ends after all of them, and nothing begins any more."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Engine, event

from consumers.lanes.gated_handlers import Gates, awaited, loose, step_until
from consumers.pipeline import Pipeline, Placed, Play, placed
from oyez.consumers import Handlers
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.lanes.event_loop import EventLoop
from oyez.consumers.lanes.lanes import Lanes
from oyez.consumers.run import lanes
from oyez.consumers.worker.retry_loop import RetryLoop
from support.waiting import eventually


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.AbstractEventLoop]:
    """The event loops that were begun."""
    begun: list[asyncio.AbstractEventLoop] = []
    new = asyncio.new_event_loop

    def noted() -> asyncio.AbstractEventLoop:
        begun.append(new())
        return begun[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", noted)
    return begun


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The connections that lanes have open on event loops."""
    found: set[Any] = set()
    make = lanes.lane_engine_from

    def noted(settings: Any, most: int, *, asynchronous: bool) -> Engine:
        engine = make(settings, most, asynchronous=asynchronous)
        if asynchronous:
            event.listen(engine.pool, "connect", lambda connection, _record: found.add(connection))
            event.listen(engine.pool, "close", lambda connection, _record: found.discard(connection))
        return engine

    monkeypatch.setattr(lanes, "lane_engine_from", noted)
    return found


def failing_at_first(on: Handlers, gates: Gates, *names: str) -> None:
    """Handlers whose events fail in memory, and are held in the lanes over the retry table."""
    failed: set[tuple[str, int]] = set()
    for name in names:

        async def hold(event: Placed, name: str = name) -> None:
            if (name, event.n) not in failed:
                failed.add((name, event.n))
                raise RuntimeError("not yet")
            gates.enter(event)
            while not gates.is_let(event.n):
                await asyncio.sleep(0.005)
            gates.leave(event)

        hold.__name__ = name
        on(Placed, group="loose", concurrency=1)(hold)


def parked(pipeline: Pipeline, events: int, handlers: int = 1) -> Any:
    """The worker, of which all events wait in the retry table and are due."""
    pipeline.announce(*placed(range(events)))
    step_until(pipeline, lambda: len(pipeline.parked()) == events * handlers)
    pipeline.clock.now += 10_000
    return pipeline.workers["shop.loose"]


def test_connections_are_closed_on_the_loop_that_they_were_made_on(
    many: Play, loops: list[asyncio.AbstractEventLoop], pooled: set[Any]
) -> None:
    on, gates = loose(), Gates()
    failing_at_first(on, gates, "first", "second")
    pipeline = many(on)
    worker = parked(pipeline, 2, handlers=2)
    gates.let(0, 1)
    pipeline.later()
    assert len(gates.ended) == 4
    assert pooled
    worker.leave()
    assert not pooled
    assert len(loops) == 1
    eventually(loops[0].is_closed)


def test_after_an_error_nothing_begins_that_was_chosen(
    many: Play, loops: list[asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs is ended by that: its lane is free then, and another unit may be ready."""
    on, gates = loose(), Gates()
    failing_at_first(on, gates, "hold")
    pipeline = many(on)
    worker = parked(pipeline, 4)
    worker._lanes._begin()
    (one,) = worker._lanes._dispatchers
    one._seconds = 0.0  # as if its transactions were short: units are chosen ahead
    worker._lanes.start(lambda: False)
    eventually(lambda: len(gates.begun) == 1 and one._ready)
    leave = worker.reading.leave

    def left() -> None:
        leave()
        turned = threading.Event()
        pool.call(turned.set)
        eventually(lambda: turned.is_set() or loops[0].is_closed())

    pool = one._pool._loop
    monkeypatch.setattr(worker.reading, "leave", left)
    worker.leave()
    eventually(loops[0].is_closed)
    assert len(gates.begun) == 1
    assert len(loops) == 1


class Part:
    """A dispatcher that notes what it is told."""

    def __init__(self, said: list[str]) -> None:
        self.handler = SimpleNamespace(name="hold")
        self._said = said

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self._said.append(name)


def test_nothing_begins_while_what_chooses_is_waited_for() -> None:
    said: list[str] = []
    made = Lanes(
        cast("Any", lambda _ended: [Part(said), Part(said)]),
        RetryLoop("shop.loose", logging_instrument()),
        group="shop.loose",
        grace=1.0,
        release=lambda: said.append("release"),
    )
    made.start(lambda: True)
    made.close()
    assert said == ["finish", "finish", "wake", "wake", "close", "close", "release"]


def test_memory_and_retry_lanes_are_let_go_while_both_run(
    many: Play, loops: list[asyncio.AbstractEventLoop]
) -> None:
    on, gates = loose(), Gates()
    awaited(on, gates)
    pipeline = many(on)
    pipeline.announce(*placed(range(6)))
    step_until(pipeline, lambda: len(gates.begun) == 4)
    pipeline.workers["shop.loose"].leave()
    eventually(loops[0].is_closed)
    assert len(gates.begun) == 4
    assert len(loops) == 1


def test_a_loop_that_is_closed_is_not_begun_again() -> None:
    loop = EventLoop("test")
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        assert loop.running


def test_a_loop_that_is_blocked_is_waited_for_once() -> None:
    loop, go = EventLoop("blocked"), threading.Event()
    loop.running.call_soon_threadsafe(go.wait, 60)
    try:
        for seconds in (0.05, 600.0, 600.0):
            with pytest.raises(TimeoutError):
                loop.wait_at_last(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop.running), seconds)
    finally:
        go.set()
        loop.close()
