"""Workers die while several events are under way in lanes in memory: deaths count until all of those are done."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.lanes.gated_handlers import BOTH, Gates, Hold, loose, offsets, step_until
from consumers.partitions.test_deaths_beside_a_backlog import key_in
from consumers.pipeline import Pipeline, Placed, Play, placed
from oyez.consumers.worker.worker import Worker
from oyez.producers import MemoryBroker


def replaced(pipeline: Pipeline) -> Worker:
    """The worker's process has died, with its event loop; another one takes its place."""
    worker = pipeline.workers["shop.loose"]
    worker.reading.leave()
    if worker._lanes is not None:
        worker._lanes.close()  # and with it the loop
    return pipeline.replace("shop.loose")


@BOTH
def test_who_dies_a_little_further_each_time_has_not_got_on(
    play: Play, register: Hold, caplog: pytest.LogCaptureFixture
) -> None:
    """Others that end beside the event that kills are no sign that it is behind."""
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    pipeline.announce(*placed(range(8)))
    for n in range(3):
        gates.let(n)
        step_until(pipeline, lambda n=n: offsets(pipeline) == [n + 1])
        assert "workers died here" not in caplog.text
        replaced(pipeline)
    gates.let(*range(8))
    step_until(pipeline, lambda: offsets(pipeline) == [8])
    assert "workers died here; the next 500 events are handled one by one" in caplog.text


@BOTH
def test_what_is_in_hand_is_not_committed_while_others_end(
    play: Play, register: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of a partition in which workers have died waits for what is under way of another one."""
    on, gates, committed = loose(), Gates(), list[dict[int, int]]()
    register(on, gates)
    pipeline = play(on, broker=MemoryBroker(partitions=2))
    pipeline.announce(Placed(k=key_in(0), n=0))
    step_until(pipeline, lambda: gates.begun == [0])
    worker: Any = pipeline.workers["shop.loose"]
    worker.reading._alone.begin([one for one in worker._ownership.held if one.number == 1])
    wait, suspect = worker.reading._lanes.wait, worker._ownership.suspect

    def waits(seconds: float) -> None:
        gates.let(0, 1)
        wait(seconds)

    def notes(record: Any) -> Any:
        found = pipeline.logs["shop.loose"].offsets
        committed.append({partition.number: offset for partition, (offset, _) in found.items()})
        return suspect(record)

    monkeypatch.setattr(worker.reading._lanes, "wait", waits)
    monkeypatch.setattr(worker._ownership, "suspect", notes)
    pipeline.announce(Placed(k=key_in(1), n=1))
    step_until(pipeline, lambda: sorted(gates.ended) == [0, 1])
    assert [one.get(1, 0) for one in committed] == [0], "it had not begun"
    step_until(pipeline, lambda: sum(offsets(pipeline)) == 2)


@BOTH
@pytest.mark.parametrize("count", [2, 11])
def test_who_has_ended_all_or_as_much_as_may_be_under_way_has_got_on(
    play: Play, register: Hold, count: int
) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on, in_flight=8)
    pipeline.announce(*placed(range(count)))
    gates.let(0)
    step_until(pipeline, lambda: offsets(pipeline) == [1])
    replaced(pipeline).step()
    assert pipeline.rows("position", "acquisitions") == [2]
    gates.let(*range(10))
    step_until(pipeline, lambda: offsets(pipeline) == [min(count, 10)])
    assert pipeline.rows("position", "acquisitions") == [0]
    gates.let(10)
