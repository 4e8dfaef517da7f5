"""Two relays at once, one of them dying anywhere: nothing is lost, and the first copies are in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.outbox.outbox_pipeline import Died, OutboxPipeline, Rough, Sailed, firsts
from oyez.consumers.database.tables import outbox

KEYS = 3


@pytest.fixture
def outbox_pipeline(pipeline_database: str) -> Iterator[OutboxPipeline]:
    made = OutboxPipeline(pipeline_database)
    yield made
    made.close()


class Meeting(Rough):
    """At some of its sends the other relay runs, as far as it comes; at others it fails, or dies itself."""

    def __init__(
        self, outbox_pipeline: OutboxPipeline, plan: list[str], other: Meeting | None, batch: int
    ) -> None:
        super().__init__(outbox_pipeline.broker, self._next)
        self._plan = plan
        self._outbox_pipeline = outbox_pipeline
        self._other = other
        self._batch = batch
        self.flushing = list(plan)

    def _next(self, _n: int) -> str | None:
        step = self._plan.pop(0) if self._plan else "go"
        if step == "meet" and self._other is not None:
            with suppress(Died):
                self._outbox_pipeline.relay(self._other, batch=self._batch).run()
            return None
        return step if step in ("die", "refuse") else None


steps = st.lists(st.sampled_from(["go", "go", "go", "meet", "die", "refuse"]), max_size=12)


@given(
    keys=st.lists(st.integers(0, KEYS - 1), min_size=1, max_size=9),
    first=steps,
    second=steps,
    batch=st.integers(1, 4),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_is_lost_and_the_first_copies_are_in_order(
    outbox_pipeline: OutboxPipeline, keys: list[int], first: list[str], second: list[str], batch: int
) -> None:
    with outbox_pipeline.engine.begin() as db:
        db.execute(outbox.delete())
    begin = len(outbox_pipeline.arrived())
    outbox_pipeline.announce(*(Sailed(k=f"k{key}", n=n) for n, key in enumerate(keys)))
    other = Meeting(outbox_pipeline, second, None, batch)
    with suppress(Died):
        outbox_pipeline.relay(Meeting(outbox_pipeline, first, other, batch), batch=batch).run()
    so_far = firsts(outbox_pipeline.arrived()[begin:])
    assert set(so_far) | set(outbox_pipeline.left()) == set(range(len(keys))), "nothing is lost on the way"
    assert outbox_pipeline.relay(batch=batch).run().problem is None
    arrived = firsts(outbox_pipeline.arrived()[begin:])
    assert sorted(arrived) == list(range(len(keys)))
    assert outbox_pipeline.left() == []
    for key in range(KEYS):
        own = [n for n in arrived if keys[n] == key]
        assert own == sorted(own)
