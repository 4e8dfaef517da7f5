"""Topics that are made again are not read until they are rewound."""

from __future__ import annotations

from sqlalchemy import update

from consumers.shelves import GROUP, PARTITIONS, back, later, place, rows, said
from consumers.stage import TOPIC, Placed
from oyez.consumers.database.tables import position
from oyez.producers import partition_of


def test_a_topic_made_again_is_not_read_until_it_is_rewound(shelf, caplog):
    stage = shelf()
    place(stage, 0, 1, 2)
    before = stage.broker.topic_id(TOPIC)
    stage.broker.delete(TOPIC)
    stage.broker.add_partitions(TOPIC, PARTITIONS)
    place(stage, 0, 3, 4, 5)
    place(stage, 1, 6)
    assert stage.effects() == [1, 2]
    now = stage.broker.topic_id(TOPIC)
    lines = said(caplog)
    assert len(lines) == PARTITIONS
    for words in (f"topic {TOPIC} was made again", before, now, f"oyez rewind {GROUP} --to earliest"):
        assert words in lines[0]
    assert [row.halted is None for row in rows(stage).values()] == [False] * PARTITIONS
    assert {row.epoch for row in rows(stage).values()} == {0}

    back(stage, 0)
    later(stage)
    assert sorted(stage.effects()) == [1, 2, 3, 4, 5, 6]
    assert {row[1] for row in stage.rows("position")} == {now}, (
        "what was known of the topic before is forgotten"
    )


def test_a_topic_made_again_while_nobody_listened_is_not_read_either(shelf):
    stage = shelf()
    place(stage, 0, 1, 2)
    stage.workers[GROUP].run(lambda: True)
    stage.broker.delete(TOPIC)
    stage.broker.add_partitions(TOPIC, PARTITIONS)
    stage.workers[GROUP] = stage.worker(GROUP)
    place(stage, 0, 3, 4, 5)
    assert stage.effects() == [1, 2]
    back(stage, 1, 0)
    later(stage)
    assert stage.effects() == [1, 2, 4, 5]
    assert [row.halted is None for _, row in sorted(rows(stage).items())] == [True, False, False]


def test_a_group_whose_offsets_are_in_the_log_does_not_read_it_either(shelf, caplog):
    stage = shelf("at-least-once")
    place(stage, 0, 1)
    stage.broker.delete(TOPIC)
    stage.broker.add_partitions(TOPIC, PARTITIONS)
    place(stage, 0, 2, 3)
    assert stage.effects() == [1]
    assert len(said(caplog)) == PARTITIONS
    back(stage, 0)
    later(stage)
    assert stage.effects() == [1, 2, 3]


def test_a_stranded_partition_of_a_group_whose_offsets_are_in_the_log(shelf, caplog):
    stage = shelf("at-least-once")
    worker = stage.workers[GROUP]
    worker._log.start({p: 1_000 for p in worker._log.positions() if p.number == 0})
    stage.run()
    assert len(said(caplog)) == 1
    assert rows(stage)[0].halted is not None
    place(stage, 1, 2)
    place(stage, 0, 1)
    assert stage.effects() == [2]
    back(stage, 0, 0)
    later(stage)
    assert stage.effects() == [2, 1]


def test_another_group_that_begins_reads_a_topic_made_again(shelf):
    stage = shelf()
    place(stage, 0, 1)
    with stage.engine.begin() as db:
        db.execute(update(position).values(group_name="shop.elsewhere"))
    stage.workers[GROUP].run(lambda: True)
    stage.broker.delete(TOPIC)
    stage.broker.add_partitions(TOPIC, PARTITIONS)
    stage.workers[GROUP] = stage.worker(GROUP)
    place(stage, 0, 2)
    assert stage.effects() == [1, 2]


def test_a_partition_added_to_a_halted_topic_is_read_from_its_beginning(shelf):
    stage = shelf(first_offset="latest")
    stage.broker.delete(TOPIC)
    stage.broker.add_partitions(TOPIC, PARTITIONS)
    place(stage, 0, 1)
    stage.broker.add_partitions(TOPIC, PARTITIONS + 1)
    key = next(f"k{n}" for n in range(50) if partition_of(f"k{n}".encode(), PARTITIONS + 1) == PARTITIONS)
    stage.handle(Placed(k=key, n=9))
    assert stage.effects() == [9]
    assert rows(stage)[PARTITIONS].halted is None
