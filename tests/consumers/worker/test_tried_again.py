"""What has changed while a batch is tried again, since its handlers are broken: nothing runs that is paused by then, or
another worker's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from support.waiting import eventually

MANY = 60
ENOUGH = 500  # times that a worker asks whether to stop
GROUP = "shop.placed"
BOTH = pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
RUNS = ["in place", "in the database", "in lanes in memory"]


class Broken:
    """A handler that is broken, and what was tried with it."""

    def __init__(self, play: Play, promise: str, how: str = "in place") -> None:
        on = Handlers("shop", promises={"placed": promise})
        self.is_broken = True
        self.tried: list[int] = []

        def act(event: Placed) -> None:
            self.tried.append(event.n)
            if self.is_broken:
                raise TypeError("a deploy")

        if how == "in place":
            on(Placed, name="place", order="none")(act)
        elif how == "in the database":

            @on(Placed, name="place", order="none")
            def place(event: Placed, db: Session) -> None:
                act(event)
                note(db, "place", event.n)
        else:

            @on(Placed, name="place", concurrency=8)
            async def begin(event: Placed) -> None:
                act(event)

        self.pipeline = pipeline = play(on)
        self.pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, 86_400.0)
        pipeline.announce(*placed(range(MANY)))

    def run(self, meanwhile: Callable[[], object], sleeps: int = 60) -> None:
        """Let the worker try it again for a while; something is done after the first time."""
        clock = self.pipeline.clock
        until = clock.sleeps + sleeps
        waits: list[int] = []
        asked = count()

        def slept(_count: int) -> None:
            if not waits and len(self.tried) >= MANY:
                waits.append(clock.sleeps)
                meanwhile()
                self.tried.clear()

        clock.on_sleep = slept
        reading = self.pipeline.workers[GROUP].reading
        self.pipeline.workers[GROUP].run(
            lambda: (
                clock.sleeps >= until
                or (len(waits) > 0 and not reading.is_under_way and next(asked) > ENOUGH)
            )
        )
        assert waits, "they were not found broken"
        clock.on_sleep = lambda _count: None

    @property
    def done(self) -> list[int]:
        """What is done, where it is committed or not."""
        return sorted(self.pipeline.effects() or self.tried)

    def pause(self, name: str) -> None:
        assert self.pausing.pause(self.pausing.scope(name, None), "me@here", None)

    def repair(self, name: str) -> None:
        """And go on with another worker."""
        self.is_broken = False
        assert self.pausing.resume(self.pausing.paused(name, None))
        self.pipeline.workers[GROUP] = self.pipeline.worker(GROUP)
        for _ in range(3):
            self.pipeline.later()
        self.pipeline.workers[GROUP].run(lambda: True)


@pytest.mark.parametrize("how", RUNS[:2])
@pytest.mark.parametrize("name", ["place", GROUP])
@BOTH
def test_what_is_paused_meanwhile_runs_no_more(play: Play, promise: str, name: str, how: str) -> None:
    broken = Broken(play, promise, how)
    broken.run(lambda: broken.pause(name))
    assert broken.tried == []
    is_whole = name == GROUP
    assert len(broken.pipeline.parked()) == (0 if is_whole else MANY), (
        "a batch of a paused group is read again"
    )
    broken.repair(name)
    assert broken.done == list(range(MANY))
    assert broken.pipeline.is_clean()


@pytest.mark.parametrize("how", RUNS)
def test_what_another_worker_has_by_now_is_left_to_it(play: Play, how: str) -> None:
    broken = Broken(play, "at-least-once", how)
    pipeline = broken.pipeline
    members = pipeline.logs[GROUP].members
    other = []

    def lose() -> None:
        """Its watchdog polls, and hears of it."""
        (mine,) = members
        other.append(pipeline.worker(GROUP))
        members.reverse()
        mine.idle()
        assert not mine.positions()

    broken.run(lose)
    assert broken.tried == []
    assert not pipeline.logs[GROUP].offsets
    assert pipeline.is_clean()
    broken.is_broken = False
    (pipeline.workers[GROUP],) = other
    for _ in range(3):
        pipeline.later()
    eventually(lambda: other[0].step() == 0 and not other[0].reading.is_under_way)
    other[0].run(lambda: True)
    assert broken.done == list(range(MANY))


@pytest.mark.parametrize("name", ["place", GROUP])
def test_in_lanes_what_is_paused_meanwhile_runs_no_more(play: Play, name: str) -> None:
    broken = Broken(play, "at-least-once", "in lanes in memory")
    broken.run(lambda: broken.pause(name))
    assert broken.tried == []
    assert len(broken.pipeline.parked()) == MANY, "it runs when it is resumed"
