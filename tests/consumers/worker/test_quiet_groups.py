"""A worker of a group in which nothing happens asks the log less often; it loses none of its haste where something
waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, empty, note
from oyez.consumers import Handlers
from oyez.consumers.worker.round import POLL, QUIET, QUIET_POLL
from oyez.consumers.worker.worker import Worker


class Asked:
    """What a worker's polls were told to wait, in order."""

    def __init__(self, worker: Worker) -> None:
        self.waits: list[float] = []
        self._poll = worker._reading._log.poll
        worker._reading._log.poll = self.poll  # type: ignore[method-assign]

    def poll(self, limit: int, wait: float) -> Sequence[Any]:
        self.waits.append(wait)
        return self._poll(limit, wait)


def handlers() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def watched(pipeline: Pipeline) -> Mapping[str, Asked]:
    pipeline.run()
    return {name: Asked(worker) for name, worker in pipeline.workers.items()}


def be_quiet(pipeline: Pipeline, seconds: float) -> None:
    """Workers go on for so long by the clock."""
    for _ in range(round(seconds / 0.25)):
        pipeline.clock.now += 0.25
        for worker in pipeline.workers.values():
            worker.step()


def test_a_quiet_group_is_polled_less_often_and_hastily_again_after_its_next_event(play: Play) -> None:
    pipeline = play(handlers())
    asked = watched(pipeline)["shop.placed"]
    be_quiet(pipeline, 2 * QUIET)
    assert asked.waits[-1] == QUIET_POLL
    pipeline.handle(Placed(n=1))
    asked.waits.clear()
    pipeline.workers["shop.placed"].step()
    assert asked.waits == [POLL]
    assert pipeline.effects() == [1]


def test_whoever_has_something_parked_hears_at_once_that_it_is_released(play: Play) -> None:
    pipeline = play(handlers())
    asked = watched(pipeline)
    pipeline.handle(Viewed(n=7))
    for one in asked.values():
        one.waits.clear()
    be_quiet(pipeline, 8.0)  # with sweeps in between
    assert set(asked["shop.viewed"].waits) == {POLL}
    assert asked["shop.placed"].waits[-1] == QUIET_POLL
    pipeline.handle(Opened(n=1))
    assert pipeline.effects("view") == [7]
    be_quiet(pipeline, 8.0)
    assert asked["shop.viewed"].waits[-1] == QUIET_POLL


def test_what_another_worker_has_parked_is_seen_in_the_next_sweep(play: Play) -> None:
    pipeline = play(handlers())
    asked = watched(pipeline)["shop.viewed"]
    pipeline.handle(Viewed(n=7))
    pipeline.workers["shop.viewed"]._has_parked = False  # as if another one had
    be_quiet(pipeline, 6.0)
    assert asked.waits[-1] == POLL


STEPS = st.lists(st.sampled_from(["place", "open", "view", "rest", "long rest"]), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_no_poll_is_long_soon_after_it(steps: list[str], pipeline_sqlite: str) -> None:
    empty(pipeline_sqlite)
    pipeline = Pipeline(pipeline_sqlite, handlers())
    asked = watched(pipeline)
    said = {"place": Placed, "open": Opened, "view": Viewed}
    numbers: list[int] = []
    for number, step in enumerate(steps):
        if step in said:
            numbers.append(number)
            pipeline.handle(said[step](n=number))
            for one in asked.values():
                one.waits.clear()
            for worker in pipeline.workers.values():
                worker.step()
            group = {"place": "shop.placed", "open": "shop.opened", "view": "shop.viewed"}[step]
            assert asked[group].waits == [POLL]
        else:
            be_quiet(pipeline, 0.5 if step == "rest" else 6.0)
    ran = set(pipeline.effects())
    waiting = {n for n, step in enumerate(steps) if step == "view"} if "open" not in steps else set()
    assert ran == set(numbers) - waiting
    assert len(pipeline.effects()) == len(ran)
    pipeline.close()
