"""The client dies while an event waits for room in its queue."""

from __future__ import annotations

from pathlib import Path

from oyez.producers.kafka.failover import State
from producers.kafka.failover.failover_pipeline import ROOM, FailoverPipeline


def test_what_waits_for_room_is_spooled_when_the_client_dies(tmp_path: Path) -> None:
    pipeline = FailoverPipeline(tmp_path)
    pipeline.broker.is_up = False
    for _ in range(ROOM):
        assert pipeline.announce()
    producer = pipeline.producer

    def die(_timeout: float) -> None:
        producer.is_dead = True

    producer.poll = die  # type: ignore[method-assign]
    assert pipeline.announce()
    assert pipeline.state() is State.SPOOLING
    pipeline.settle()
    pipeline.announce()
    pipeline.settle()
    assert pipeline.producer is not producer
    pipeline.check()
    assert pipeline.lost == []
