"""What a worker makes of a log whose client is at its end, and of partitions that stall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from consumers.partitions.moved_positions import GROUP, place, rows
from consumers.pipeline import Pipeline
from consumers.worker.test_instrumentation_events import Collecting
from oyez.consumers.instrumentation import Instrument, events
from oyez.consumers.logs.log import LogError, Remedy, Stalled
from oyez.consumers.worker.worker import Worker

Made = Callable[..., Pipeline]


def never() -> bool:
    return False


def worker_of(pipeline: Pipeline) -> Worker:
    return pipeline.workers[GROUP]


def let_log(pipeline: Pipeline, **methods: Any) -> None:
    """The worker's log does these things otherwise."""
    for name, does in methods.items():
        setattr(worker_of(pipeline)._log, name, does)


def ended(_limit: int, _wait: float) -> Any:
    raise LogError("Kafka: fenced")


def test_nobody_died_on_an_event_when_a_client_ends(moved_pipeline: Made) -> None:
    pipeline = moved_pipeline()
    place(pipeline, 0, 1)
    for _ in range(6):
        pipeline.replace(GROUP)
        pipeline.run()
        let_log(pipeline, poll=ended)
        with pytest.raises(LogError, match="fenced"):
            worker_of(pipeline).run(never)
    assert {row.acquisitions for row in rows(pipeline).values()} == {0}
    pipeline.replace(GROUP)
    place(pipeline, 0, 2)
    assert pipeline.effects() == [1, 2]


def stalled_once(pipeline: Pipeline, remedy: Remedy) -> Callable[[], Sequence[Stalled]]:
    partition = next(iter(worker_of(pipeline)._log.positions()))
    left = [[Stalled(partition, 1, 5, remedy)]]
    return lambda: left.pop() if left else ()


@pytest.mark.parametrize("remedy", ["seek", "rejoin", "restart"])
def test_what_stalls_is_said_counted_and_shown(moved_pipeline: Made, remedy: Remedy) -> None:
    told = Collecting()
    pipeline = moved_pipeline(instrument=Instrument(told))
    let_log(pipeline, look_for_stalls=stalled_once(pipeline, remedy))
    told.received.clear()
    pipeline.clock.now += 60.0
    if remedy == "restart":
        with pytest.raises(LogError, match="gives nothing, though it has records from 1 to 5"):
            worker_of(pipeline).step()
    else:
        worker_of(pipeline).step()
    said = [one for one in told.received if isinstance(one, events.PartitionStalled)]
    assert [(one.group, one.position, one.end, one.remedy) for one in said] == [(GROUP, 1, 5, remedy)]
    assert {row.trouble is not None for row in rows(pipeline).values()} == {True}
    for number in range(3):
        place(pipeline, number, number)
    assert {row.trouble for row in rows(pipeline).values()} == {None}, "it gets on"


def test_a_worker_that_was_told_what_to_read_says_so_once(moved_pipeline: Made) -> None:
    told = Collecting()
    pipeline = moved_pipeline(instrument=Instrument(told))
    for _ in range(3):
        pipeline.later(2.0)
    assert [one for one in told.received if isinstance(one, events.LogJoined)] == [events.LogJoined(GROUP)]


def forget_committed(pipeline: Pipeline) -> None:
    """As Kafka does some days after a group's last member has left."""
    pipeline.logs[GROUP].offsets.clear()


def test_an_at_least_once_group_goes_on_though_its_offsets_were_forgotten(moved_pipeline: Made) -> None:
    pipeline = moved_pipeline("at-least-once")
    for number in range(3):
        place(pipeline, number, number)
    worker_of(pipeline).run(lambda: True)
    forget_committed(pipeline)
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    place(pipeline, 0, 7)
    assert sorted(pipeline.effects()) == [0, 1, 2, 7], "nothing is handled again"


def test_one_whose_worker_was_killed_goes_on_where_that_one_began(moved_pipeline: Made) -> None:
    pipeline = moved_pipeline("at-least-once")
    place(pipeline, 0, 1)
    pipeline.replace(GROUP)
    pipeline.run()
    place(pipeline, 0, 2)
    pipeline.replace(GROUP)
    forget_committed(pipeline)
    place(pipeline, 0, 3)
    assert pipeline.effects() == [1, 2, 2, 3]
