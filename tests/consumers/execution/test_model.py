"""Whatever arrives in whatever order, fails however often, whoever handles it: a model says what must come out."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consumers.execution.model_application import Script, World, model_engine
from consumers.execution.model_checks import HANDLERS, check, drafts, events_of, play, rejected

__all__ = ["model_engine"]

failing = st.dictionaries(
    st.tuples(st.sampled_from(sorted(sum(HANDLERS.values(), ()))), st.integers(0, 24)),
    st.integers(1, 2),
    max_size=6,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 5)),
        st.tuples(st.just("announce"), st.integers(1, 6)),
        st.tuples(st.just("join"), st.integers(0, 2)),
        st.tuples(st.just("vanish"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 10)),
    ),
    max_size=30,
)


half = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
"""Of the examples: with all of them, a test may come near the limit of one on a busy machine."""
any_run = given(
    drafts=drafts,
    failing=failing,
    rejected=rejected,
    steps=steps,
    group=st.sampled_from([None, "all"]),
    batch=st.sampled_from([1, 3, 500]),
)


@half
@any_run
@example(  # of a key, one row at a time: what was its head once stands behind another one that never is met
    drafts=[("reply", "k1", "s1", "s2"), ("reply", "k1", "s2", "s3"), ("reply", "k1", "s4", "s1")],
    failing={},
    rejected=set(),
    steps=[("step", 0)],
    group=None,
    batch=1,
)
def test_each_delivery_is_done_once_in_order_or_dead(
    model_engine, drafts, failing, rejected, steps, group, batch
):
    holds(model_engine, drafts, failing, rejected, steps, group, batch)


def holds(model_engine, drafts, failing, rejected, steps, group, batch):
    with World(model_engine, Script(Counter(failing), rejected), group=group, batch=batch) as world:
        play(world, events_of(drafts), steps)
        world.settle()
        check(world, rejected)
