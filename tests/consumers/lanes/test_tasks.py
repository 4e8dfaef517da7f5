"""Tasks of lanes in memory: nothing that has ended is missed, whatever ended it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumers.lanes.errands_by_hand import errand, loose_handler
from consumers.pipeline import Placed
from oyez.consumers.core.outcomes import DONE, Failed, Outcome
from oyez.consumers.lanes.by_key import Errand
from oyez.consumers.lanes.event_loop import EventLoop
from oyez.consumers.lanes.tasks import Tasks
from support.waiting import eventually

LANES = 2
Acts = Callable[[int], Awaitable[Any]]


class Seen:
    """Tasks of a handler, and what is seen of them."""

    def __init__(self, act: Acts) -> None:
        self.begun: list[int] = []
        self.ended: list[tuple[int, Outcome]] = []
        self.running: list[int] = []
        """How many ran, as the pool says, when it told of each that has ended."""

        async def handle(event: Placed) -> None:
            self.begun.append(event.n)
            await act(event.n)

        self.loop = EventLoop("test")
        self._handler = loose_handler(handle, LANES)
        self.tasks = Tasks(self._handler, self.loop, self._end, LANES)

    def put(self, numbers: Iterable[int]) -> None:
        self.tasks.put([errand(self._handler, n) for n in numbers])

    def _end(self, errand: Errand, outcome: Outcome) -> None:
        self.running.append(self.tasks.running)
        self.ended.append((errand.delivery.at, outcome))

    @contextmanager
    def standing(self) -> Iterator[None]:
        """The loop does nothing meanwhile."""
        go = threading.Event()
        self.loop.call(lambda: go.wait(60))
        yield
        go.set()


@pytest.fixture
def see() -> Iterator[Callable[[Acts], Seen]]:
    made: list[Seen] = []

    def make(act: Acts) -> Seen:
        made.append(Seen(act))
        return made[-1]

    yield make
    for seen in made:
        seen.loop.close()


async def at_once(_n: int) -> None: ...


async def never(_n: int) -> None:
    await asyncio.Event().wait()


def test_what_has_ended_is_told_before_it_counts_as_not_running(see: Callable[[Acts], Seen]) -> None:
    """Whoever waits until nothing runs, and then looks at what has ended, finds all of it."""
    seen = see(at_once)
    for n in range(3):
        seen.put([n])
        eventually(lambda: seen.tasks.running == 0 and len(seen.running) > n)  # noqa: B023 # at once
    assert seen.running == [1, 1, 1]
    assert seen.ended == [(n, DONE) for n in range(3)]


def test_what_is_cancelled_before_it_has_begun_runs_no_more(see: Callable[[Acts], Seen]) -> None:
    seen = see(never)
    assert not seen.loop.running.is_closed()
    with seen.standing():
        seen.put(range(3))
        seen.tasks.cancel()
    turned = threading.Event()
    seen.loop.call(turned.set)
    assert turned.wait(60)
    eventually(lambda: seen.tasks.running == 0)
    assert (seen.begun, seen.ended) == ([], [])


def test_one_that_another_handler_cancels_before_it_has_begun_has_failed(see: Callable[[Acts], Seen]) -> None:
    """It would be under way for ever otherwise, and hold what is committed."""

    async def cancels_others(n: int) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others if n == 0 else ():
            other.cancel()

    seen = see(cancels_others)
    seen.put(range(3))
    eventually(lambda: len(seen.ended) == 3)
    outcomes = dict(seen.ended)
    assert outcomes[0] is outcomes[2] is DONE
    assert isinstance(outcomes[1], Failed)
    assert seen.begun == [0, 2]


@pytest.mark.parametrize("how", ["begun", "waiting to be put"])
def test_when_the_loop_is_closed_nothing_more_is_begun(see: Callable[[Acts], Seen], how: str) -> None:
    """As after an error, which ends the worker: nobody has said before that nothing is to be begun. Of what
    ran nothing is told: it has not failed."""
    seen = see(never)
    loop = seen.loop.running
    if how == "begun":
        seen.put(range(8))
        eventually(lambda: len(seen.begun) == LANES)
        seen.loop.close()
    else:
        with seen.standing():
            seen.put(range(8))
            seen.loop.close()
    eventually(loop.is_closed)
    assert len(seen.begun) == (LANES if how == "begun" else 0)
    assert seen.ended == []
    assert seen.tasks.running == 0
