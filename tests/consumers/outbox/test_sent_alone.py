"""What is refused among many is sent alone once more, and never behind a later one of its key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.outbox.outbox_pipeline import OutboxPipeline, Rough, Sailed, n_of
from oyez.consumers.outbox.relay import Relayed
from oyez.producers.transport import Lasting


@pytest.fixture
def outbox_pipeline(pipeline_database: str) -> Iterator[OutboxPipeline]:
    made = OutboxPipeline(pipeline_database)
    yield made
    made.close()


class Once:
    """What becomes of some events the first time; then they are taken."""

    def __init__(self, numbers: set[int], how: str) -> None:
        self._numbers = set(numbers)
        self._how = how

    def __call__(self, n: int) -> str | None:
        if n not in self._numbers:
            return None
        self._numbers.remove(n)
        return self._how


class LateRefusals(Rough):
    """Events that it refuses for what they are at the flush, the first time."""

    def __init__(self, outbox_pipeline: OutboxPipeline, *numbers: int) -> None:
        super().__init__(outbox_pipeline.broker)
        self._numbers = set(numbers)

    def flush(self, timeout: float) -> None:
        for event in list(self._taken):
            if n_of(event[2]) in self._numbers:
                self._numbers.remove(n_of(event[2]))
                self._taken.remove(event)
                self._report(event[2], Lasting("the lot is too large"))
        super().flush(timeout)


def test_what_follows_of_its_key_waits_until_it_was_sent_alone(outbox_pipeline: OutboxPipeline) -> None:
    rough = Rough(outbox_pipeline.broker, Once({1, 4}, "lasting"))
    outbox_pipeline.announce(*(Sailed(k="ab"[n % 2], n=n) for n in range(8)))
    assert outbox_pipeline.relay(rough).run() == Relayed(8)
    arrived = outbox_pipeline.arrived()
    assert [n for n in arrived if n % 2 == 0] == [0, 2, 4, 6]
    assert [n for n in arrived if n % 2 == 1] == [1, 3, 5, 7]
    assert outbox_pipeline.left() == []


def test_one_that_is_refused_alone_too_holds_up_nothing(outbox_pipeline: OutboxPipeline) -> None:
    rough = Rough(outbox_pipeline.broker, {1: "lasting"}.get)
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(4)))
    assert outbox_pipeline.relay(rough).run() == Relayed(3)
    assert (outbox_pipeline.arrived(), outbox_pipeline.left()) == ([0, 2, 3], [1])


def test_where_a_later_one_of_its_key_has_arrived_it_is_quarantined(
    outbox_pipeline: OutboxPipeline, caplog: pytest.LogCaptureFixture
) -> None:
    rough = LateRefusals(outbox_pipeline, 1, 3, 4)
    outbox_pipeline.announce(*(Sailed(k="a", n=n) for n in range(3)), Sailed(k="b", n=3), Sailed(k=None, n=4))
    outbox_pipeline.announce(Sailed(k=None, n=5))
    assert outbox_pipeline.relay(rough).run() == Relayed(5)
    assert outbox_pipeline.arrived() == [0, 2, 5, 3, 4], "those without a later one are sent alone"
    assert outbox_pipeline.left() == [1]
    (line,) = caplog.messages
    assert "the lot is too large, and a later event of its key has arrived; it is quarantined" in line
