"""As in `test_model`, where much is given up as never met."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.execution.model_application import Script, World, model_engine
from consumers.execution.model_checks import check, drafts, events_of, keys, play, rejected, subjects

__all__ = ["model_engine"]

waiting_first = st.tuples(
    st.lists(
        st.tuples(st.sampled_from(["used", "reply"]), keys, subjects, st.sampled_from(["s1", "s2", "s3"])),
        min_size=2,
        max_size=10,
    ),
    drafts,
).map(lambda parts: parts[0] + parts[1])
aging = st.lists(
    st.one_of(
        st.tuples(st.just("announce"), st.integers(1, 6)),
        st.tuples(st.just("age"), st.integers(1, 3)),
        st.tuples(st.just("vanish"), st.integers(0, 5)),
    ),
    max_size=12,
).map(lambda steps: [("announce", 3), ("age", 2), *steps])


half = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
any_run = given(drafts=waiting_first, rejected=rejected, steps=aging, group=st.sampled_from([None, "all"]))


@half
@any_run
def test_what_was_given_up_as_never_met_is_done_when_it_is_met(model_engine, drafts, rejected, steps, group):
    """Each delivery once, as before. Where a delivery was given up, its key's order is not promised. Meanwhile the
    inbox and the prerequisites that nobody waits for are gone through, and what is old of them is forgotten."""
    holds(model_engine, drafts, rejected, steps, group)


def holds(model_engine, drafts, rejected, steps, group):
    with World(model_engine, Script(Counter(), rejected), group=group, batch=3) as world:
        play(world, events_of(drafts), steps)
        world.settle()
        check(world, rejected)
