"""Partitions that cannot be read, and positions that somebody moves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from consumers.partitions.moved_positions import GROUP, KEYS, alter, back, later, place, rows, said, strand
from consumers.pipeline import TOPIC, Placed
from oyez.consumers.database import Database, positions
from oyez.consumers.database.positions import Held, Partition
from oyez.consumers.database.tables import position


def test_a_position_that_is_not_in_its_partition_stops_that_partition_alone(moved_pipeline, caplog):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1)
    strand(pipeline, 0)
    (line,) = said(caplog)
    for words in (f"{TOPIC} partition 0", "position 1000", "0 to 1", f"oyez rewind {GROUP} --to earliest"):
        assert words in line
    assert "oyez rewind" in rows(pipeline)[0].halted
    assert rows(pipeline)[0].halted_at is not None
    assert (rows(pipeline)[1].halted, rows(pipeline)[2].halted) == (None, None)
    place(pipeline, 1, 2)
    place(pipeline, 0, 3)
    assert pipeline.effects() == [1, 2]
    later(pipeline)
    assert len(said(caplog)) == 1
    assert rows(pipeline)[0].position == 1_000


def test_a_halted_partition_is_read_again_when_it_was_rewound(moved_pipeline):
    pipeline = moved_pipeline()
    strand(pipeline, 0)
    place(pipeline, 0, 1, 2)
    back(pipeline, 0, 0)
    pipeline.run()
    assert pipeline.effects() == [], "its worker has not looked yet"
    later(pipeline)
    assert pipeline.effects() == [1, 2]
    assert (rows(pipeline)[0].halted, rows(pipeline)[0].position) == (None, 2)


def test_a_worker_that_is_never_idle_notices_it_too(moved_pipeline):
    pipeline = moved_pipeline()
    strand(pipeline, 0)
    place(pipeline, 0, 1)
    back(pipeline, 0, 0)
    for n in range(10, 20):
        pipeline.clock.now += 1.0
        place(pipeline, 1, n)
    assert 1 in pipeline.effects()


def test_a_halted_partition_is_not_taken_by_another_worker(moved_pipeline, caplog):
    pipeline = moved_pipeline()
    strand(pipeline, 0)
    epoch = rows(pipeline)[0].epoch
    pipeline.workers[GROUP].run(lambda: True)
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    place(pipeline, 0, 1)
    assert pipeline.effects() == []
    assert rows(pipeline)[0].epoch == epoch
    assert len(said(caplog)) == 2, "each worker says so once"
    back(pipeline, 0, 0)
    later(pipeline)
    assert pipeline.effects() == [1]


def test_halting_is_fenced(moved_pipeline):
    pipeline = moved_pipeline()
    before = rows(pipeline)[0]
    partition = Partition(TOPIC, pipeline.broker.topic_id(TOPIC), 0)
    former = Held(before.position, before.epoch - 1)
    with Database(pipeline.engine).transaction() as db:
        assert not positions.halt(db, GROUP, partition, former, "why", 0.0)
    assert rows(pipeline)[0] == before


def test_an_out_of_range_partition_that_another_worker_took_is_left_to_it(moved_pipeline, caplog):
    pipeline = moved_pipeline()
    worker = pipeline.workers[GROUP]
    worker._log.start({p: 1_000 for p in worker._log.positions() if p.number == 0})
    alter(pipeline, 0, epoch=position.c.epoch + 1, owner="another")
    pipeline.run()
    assert said(caplog) == []
    assert rows(pipeline)[0].halted is None
    assert {p.number for p in worker._log.positions()} == {1, 2}


def test_an_idle_worker_looks_at_its_positions_every_five_seconds(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2, 3)
    later(pipeline)
    queries: list[str] = []

    @event.listens_for(pipeline.engine, "before_cursor_execute")
    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "oyez_position" in statement:
            queries.append(statement)

    worker = pipeline.workers[GROUP]
    for _ in range(40):
        pipeline.clock.now += 0.1
        worker.step()
    assert queries == []
    pipeline.clock.now += 1.5
    worker.step()
    worker.step()
    assert len(queries) == 1


def test_an_idle_group_that_is_rewound_reads_again_and_the_inbox_skips(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2, 3)
    back(pipeline, 1, 0)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 3]
    later(pipeline)
    assert rows(pipeline)[0].position == 3


def test_a_group_that_is_moved_forward_skips(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1)
    epoch = rows(pipeline)[0].epoch
    pipeline.announce(*(Placed(k=KEYS[0], n=n) for n in (2, 3, 4)))
    back(pipeline, 3, 0)
    place(pipeline, 1, 7)
    assert sorted(pipeline.effects()) == [1, 4, 7]
    assert (rows(pipeline)[0].epoch, rows(pipeline)[0].position) == (epoch, 4)


def test_a_partition_that_another_worker_took_is_left_when_idle(moved_pipeline):
    pipeline = moved_pipeline()
    alter(pipeline, 0, epoch=position.c.epoch + 1, owner="another")
    later(pipeline)
    assert {p.number for p in pipeline.workers[GROUP]._log.positions()} == {1, 2}
