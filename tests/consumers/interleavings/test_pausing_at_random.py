"""Whatever is paused and resumed whenever: nothing is lost, doubled or overtaken, and nothing that is paused runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consumers.interleavings.pausing_world import HANDLERS, World
from consumers.pipeline import empty

Step = tuple[str, ...]
names = st.sampled_from(
    ["first", "second", "open", "view", "tick", "loose", "placed", "viewed", "ticked", "loose"]
)
keys = st.sampled_from(["k1", "k2"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("announce"), st.sampled_from(["placed", "opened", "viewed", "ticked"]), keys),
        st.tuples(st.just("pause"), names),
        st.tuples(st.just("pause key"), keys),
        st.tuples(st.just("pause key of"), keys, names),
        st.tuples(st.just("resume"), st.integers(0, 3).map(str)),
        st.tuples(st.just("fail"), st.sampled_from(sorted(HANDLERS))),
        st.tuples(st.just("mend")),
        st.tuples(st.just("run")),
        st.tuples(st.just("later")),
        st.tuples(st.just("die"), st.sampled_from(["placed", "opened", "viewed", "ticked", "loose"])),
    ),
    min_size=10,
    max_size=30,
)


FAILING_HEAD: Sequence[Step] = [  # the head fails, is paused, and what would follow it must not
    ("fail", "first"),
    ("announce", "placed", "k1"),
    ("run",),
    ("pause", "first"),
    ("mend",),
    ("announce", "placed", "k1"),
    ("later",),
    ("resume", "0"),
    ("announce", "placed", "k1"),
    ("run",),
]
RELEASED: Sequence[Step] = [  # what is released while its handler is paused
    ("announce", "viewed", "k1"),
    ("run",),
    ("pause", "view"),
    ("announce", "opened", "k1"),
    ("later",),
]
ARRIVING: Sequence[Step] = [  # what arrives of a handler, a key, and both, with a worker that dies
    *[("pause", "first"), ("pause", "tick"), ("pause key of", "k1", "loose"), ("pause key", "k2")],
    *[("announce", signal, key) for signal in ("placed", "ticked", "opened") for key in ("k1", "k2", "k1")],
    *[("run",), ("die", "placed"), ("die", "ticked"), ("later",), ("resume", "0"), ("run",), ("later",)],
]
A_GROUP: Sequence[Step] = [
    *[("announce", "placed", "k1"), ("fail", "second"), ("run",), ("pause", "placed"), ("mend",)],
    *[("announce", "placed", "k1"), ("later",), ("die", "placed"), ("later",), ("resume", "0"), ("run",)],
]


AT_LEAST_ONCE: Sequence[Step] = [  # a worker takes a partition of a paused group, of which the log knows more
    *[("announce", "viewed", "k2"), ("run",), ("pause", "ticked"), ("announce", "ticked", "k2")],
    *[("die", "ticked"), ("run",), ("resume", "0"), ("run",)],
]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps, batch=st.sampled_from([1, 3, 500]))
@example(steps=FAILING_HEAD, batch=500)
@example(steps=RELEASED, batch=500)
@example(steps=ARRIVING, batch=3)
@example(steps=A_GROUP, batch=500)
@example(steps=AT_LEAST_ONCE, batch=1)
def test_what_is_paused_waits_in_its_order(pipeline_database: str, steps: Sequence[Step], batch: int) -> None:
    empty(pipeline_database)
    world = World(pipeline_database, batch=batch)
    try:
        for step in steps:
            _take(world, step)
        world.settle()
        world.check()
        assert not world.rows("dead", "id")
    finally:
        world.close()


def _take(world: World, step: Step) -> None:
    match step:
        case ("announce", signal, key):
            world.announce_one(signal, key)
        case ("fail", handler):
            world.failing.add(handler)
        case ("mend",):
            world.failing.clear()
        case ("die", group):
            world.replace(f"shop.{group}")
        case ("run" | "later" as when,):
            world.clock.now += 10_000.0 if when == "later" else 0.0
            world.run_watched()
        case _:
            _pause(world, step)


def _pause(world: World, step: Step) -> None:
    match step:
        case ("pause", name):
            world.pause(_named(name))
        case ("pause key", key):
            world.pause(None, key)
        case ("pause key of", key, name):
            world.pause(_named(name), key)
        case ("resume", at) if len(world.held) > int(at):
            world.resume(*sorted(world.held, key=str)[int(at)])


def _named(name: str) -> str:
    """A group by its full name, so that each has one in these tests."""
    return f"shop.{name}" if name in {"placed", "viewed", "ticked"} else name


@pytest.mark.parametrize("batch", [1, 500])
def test_a_stop_within_a_batch_of_which_a_part_is_paused(pipeline_database: str, batch: int) -> None:
    """Its time is up at once: what is paused is taken again, or parked, but once."""
    world = World(pipeline_database, batch=batch)
    try:
        world.pause("second")
        for _ in range(5):
            world.announce_one("placed", "k1")
        worker = world.workers["shop.placed"]
        while worker.step(lambda: True):
            pass
        world.run_watched()
        world.settle()
        world.check()
    finally:
        world.close()
