"""Concurrent handlers of an at-least-once group that hold an event until it is let go."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from consumers.pipeline import Pipeline, Placed
from oyez.consumers import Handlers
from support.waiting import eventually


def loose() -> Handlers:
    return Handlers("shop", promises={"loose": "at-least-once"})


def offsets(pipeline: Pipeline) -> list[int]:
    committed = list(
        pipeline.logs["shop.loose"].offsets.values()
    )  # at once: the worker may be in another thread
    return [offset for offset, _ in committed]


def step_until(pipeline: Pipeline, condition: Callable[[], Any]) -> Any:
    """Step the worker until something is so."""
    (worker,) = pipeline.workers.values()

    def stepped() -> Any:
        pipeline.clock.now += 0.1
        worker.step()
        return condition()

    return eventually(stepped)


class Gates:
    """Events that are held until they are let go, by their numbers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._let: set[int] = set()
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def enter(self, event: Placed) -> None:
        with self._changed:
            self.begun.append(event.n)
            self.now[event.k] += 1
            self.most[event.k] = max(self.most[event.k], self.now[event.k])

    def leave(self, event: Placed) -> None:
        with self._changed:
            self.now[event.k] -= 1
            self.ended.append(event.n)

    def is_let(self, n: int) -> bool:
        return n in self._let

    def let(self, *numbers: int) -> None:
        with self._changed:
            self._let.update(numbers)
            self._changed.notify_all()

    def wait(self, n: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: n in self._let, timeout=60)


Hold = Callable[[Handlers, Gates], None]


def in_threads(on: Handlers, gates: Gates) -> None:
    @on(Placed, group="loose", concurrency=4)
    def hold(event: Placed) -> None:
        gates.enter(event)
        gates.wait(event.n)
        gates.leave(event)


def awaited(on: Handlers, gates: Gates) -> None:
    @on(Placed, group="loose", concurrency=4)
    async def hold(event: Placed) -> None:
        gates.enter(event)
        while not gates.is_let(event.n):
            await asyncio.sleep(0.005)
        gates.leave(event)


BOTH = pytest.mark.parametrize("register", [in_threads, awaited])
