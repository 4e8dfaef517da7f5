"""Partitions that cannot be read, and positions that somebody moves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from consumers.shelves import GROUP, KEYS, alter, back, later, place, rows, said, strand
from consumers.stage import TOPIC, Placed
from oyez.consumers.database import Database, positions
from oyez.consumers.database.positions import Held, Partition
from oyez.consumers.database.tables import position


def test_a_position_that_is_not_in_its_partition_stops_that_partition_alone(shelf, caplog):
    stage = shelf()
    place(stage, 0, 1)
    strand(stage, 0)
    (line,) = said(caplog)
    for words in (f"{TOPIC} partition 0", "position 1000", "0 to 1", f"oyez rewind {GROUP} --to earliest"):
        assert words in line
    assert "oyez rewind" in rows(stage)[0].halted
    assert rows(stage)[0].halted_at is not None
    assert (rows(stage)[1].halted, rows(stage)[2].halted) == (None, None)
    place(stage, 1, 2)
    place(stage, 0, 3)
    assert stage.effects() == [1, 2]
    later(stage)
    assert len(said(caplog)) == 1
    assert rows(stage)[0].position == 1_000


def test_a_halted_partition_is_read_again_when_it_was_rewound(shelf):
    stage = shelf()
    strand(stage, 0)
    place(stage, 0, 1, 2)
    back(stage, 0, 0)
    stage.run()
    assert stage.effects() == [], "its worker has not looked yet"
    later(stage)
    assert stage.effects() == [1, 2]
    assert (rows(stage)[0].halted, rows(stage)[0].position) == (None, 2)


def test_a_worker_that_is_never_idle_notices_it_too(shelf):
    stage = shelf()
    strand(stage, 0)
    place(stage, 0, 1)
    back(stage, 0, 0)
    for n in range(10, 20):
        stage.clock.now += 1.0
        place(stage, 1, n)
    assert 1 in stage.effects()


def test_a_halted_partition_is_not_taken_by_another_worker(shelf, caplog):
    stage = shelf()
    strand(stage, 0)
    epoch = rows(stage)[0].epoch
    stage.workers[GROUP].run(lambda: True)
    stage.workers[GROUP] = stage.worker(GROUP)
    place(stage, 0, 1)
    assert stage.effects() == []
    assert rows(stage)[0].epoch == epoch
    assert len(said(caplog)) == 2, "each worker says so once"
    back(stage, 0, 0)
    later(stage)
    assert stage.effects() == [1]


def test_halting_is_fenced(shelf):
    stage = shelf()
    before = rows(stage)[0]
    partition = Partition(TOPIC, stage.broker.topic_id(TOPIC), 0)
    former = Held(before.position, before.epoch - 1)
    with Database(stage.engine).transaction() as db:
        assert not positions.halt(db, GROUP, partition, former, "why", 0.0)
    assert rows(stage)[0] == before


def test_a_stranded_partition_that_another_worker_took_is_left_to_it(shelf, caplog):
    stage = shelf()
    worker = stage.workers[GROUP]
    worker._log.start({p: 1_000 for p in worker._log.positions() if p.number == 0})
    alter(stage, 0, epoch=position.c.epoch + 1, owner="another")
    stage.run()
    assert said(caplog) == []
    assert rows(stage)[0].halted is None
    assert {p.number for p in worker._log.positions()} == {1, 2}


def test_an_idle_worker_looks_at_its_positions_every_five_seconds(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    later(stage)
    queries: list[str] = []

    @event.listens_for(stage.engine, "before_cursor_execute")
    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "oyez_position" in statement:
            queries.append(statement)

    worker = stage.workers[GROUP]
    for _ in range(40):
        stage.clock.now += 0.1
        worker.step()
    assert queries == []
    stage.clock.now += 1.5
    worker.step()
    worker.step()
    assert len(queries) == 1


def test_an_idle_group_that_is_rewound_reads_again_and_the_inbox_skips(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    back(stage, 1, 0)
    later(stage)
    assert stage.effects() == [1, 2, 3]
    later(stage)
    assert rows(stage)[0].position == 3


def test_a_group_that_is_moved_forward_skips(shelf):
    stage = shelf()
    place(stage, 0, 1)
    epoch = rows(stage)[0].epoch
    stage.announce(*(Placed(k=KEYS[0], n=n) for n in (2, 3, 4)))
    back(stage, 3, 0)
    place(stage, 1, 7)
    assert sorted(stage.effects()) == [1, 4, 7]
    assert (rows(stage)[0].epoch, rows(stage)[0].position) == (epoch, 4)


def test_a_partition_that_another_worker_took_is_left_when_idle(shelf):
    stage = shelf()
    alter(stage, 0, epoch=position.c.epoch + 1, owner="another")
    later(stage)
    assert {p.number for p in stage.workers[GROUP]._log.positions()} == {1, 2}
