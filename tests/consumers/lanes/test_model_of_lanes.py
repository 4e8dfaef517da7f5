"""Whatever happens to what runs in lanes, or is tried again: in the end each event was handled once, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consumers.lanes.model_world import HANDLERS, OUTCOMES, SUBJECTS, World
from consumers.pipeline import Opened, Placed, Viewed, empty
from oyez.consumers.execution.careful import LONE_DEATHS
from oyez.consumers.retry.retrying import ALONE

Step = tuple[Any, ...]
names = st.sampled_from(["noted"] * 4 + sorted(HANDLERS))
keys = st.sampled_from(["k1", "k1", "k1", "k2"])
several = st.tuples(
    st.just("announce"),
    st.sampled_from([Placed, Placed, Placed, Opened, Viewed]),
    keys,
    st.sampled_from(SUBJECTS),
    st.sampled_from([False, False, False, True]),
    st.integers(1, 4),
)
told = st.tuples(st.just("tell"), names, keys, st.sampled_from(sorted(OUTCOMES)), st.integers(1, 3))
deaths = st.tuples(
    st.just("die"),
    names,
    st.sampled_from([1, ALONE, ALONE, ALONE, ALONE, ALONE + LONE_DEATHS]),
    st.sampled_from([1, 1, 4]),
    st.sampled_from([0, 0, 0, 1, 2]),
)
scopes = st.one_of(st.tuples(names, st.none()), st.tuples(st.none(), keys), st.tuples(names, keys))
other = st.one_of(
    st.just(("run",)),
    st.tuples(st.just("later"), st.sampled_from([1.0, 20.0, 700.0])),
    st.tuples(st.just("time out"), names),
    scopes.map(lambda scope: ("pause", *scope)),
    scopes.map(lambda scope: ("resume", *scope)),
    st.just(("release",)),
    st.just(("retry dead",)),
)
steps = st.lists(st.one_of(several, told, deaths, st.just(("read",)), other), min_size=6, max_size=25)

any_run = given(steps=steps)


def play(world: World, steps: Sequence[Step]) -> None:
    """Take these steps; then all is resumed, and done."""
    does = {
        "announce": world.announce_several,
        "tell": world.tell,
        "die": world.die,
        "time out": world.time_out,
        "pause": world.pause,
        "resume": world.resume,
        "later": world.later,
        "release": world.operator.release,
        "retry dead": world.retry_dead,
        "read": world.read,
        "run": world.run,
    }
    for what, *told in steps:
        does[what](*told)
    world.settle()


class Worlds:
    """One world after the other, on one database. One in which all was done is used again: making it takes longer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._world: World | None = None

    def hold(self, concurrency: int | None, steps: Sequence[Step]) -> None:
        """Check that all is done in the end, whatever happens before."""
        world, self._world = self._world or self._made(concurrency), None
        try:
            play(world, steps)
            world.check()
            world.go_on()
        except BaseException:
            world.close()
            raise
        self._world = world

    def close(self) -> None:
        if self._world is not None:
            self._world.close()

    def _made(self, concurrency: int | None) -> World:
        empty(self._url)
        return World(self._url, concurrency)


@pytest.fixture
def worlds(pipeline_database: str) -> Iterator[Worlds]:
    """Of each database in turn."""
    made = Worlds(pipeline_database)
    yield made
    made.close()


SUSPECTED_BEHIND: Sequence[Step] = [  # workers die on several rows of a key; then its head fails
    *[("announce", Placed, "k1", "s1", False, 3), ("die", "noted", ALONE, 1, 0)],
    *[("tell", "noted", "k1", "fails", 1), ("run",), ("later", 700.0)],
]


@pytest.mark.parametrize("concurrency", [3, None])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@any_run
@example(steps=SUSPECTED_BEHIND)
def test_each_event_is_handled_once_in_its_order(
    worlds: Worlds, concurrency: int | None, steps: Sequence[Step]
) -> None:
    worlds.hold(concurrency, steps)
