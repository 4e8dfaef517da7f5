"""Topics that are made again are not read until they are rewound."""

from __future__ import annotations

from sqlalchemy import update

from consumers.partitions.moved_positions import GROUP, PARTITIONS, back, later, place, rows, said
from consumers.pipeline import TOPIC, Placed
from oyez.consumers.database.tables import position
from oyez.producers.partitioning import partition_of


def test_a_topic_made_again_is_not_read_until_it_is_rewound(moved_pipeline, caplog):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2)
    before = pipeline.broker.topic_id(TOPIC)
    pipeline.broker.delete(TOPIC)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS)
    place(pipeline, 0, 3, 4, 5)
    place(pipeline, 1, 6)
    assert pipeline.effects() == [1, 2]
    now = pipeline.broker.topic_id(TOPIC)
    lines = said(caplog)
    assert len(lines) == PARTITIONS
    for words in (f"topic {TOPIC} was made again", before, now, f"oyez rewind {GROUP} --to earliest"):
        assert words in lines[0]
    assert [row.halted is None for row in rows(pipeline).values()] == [False] * PARTITIONS
    assert {row.epoch for row in rows(pipeline).values()} == {0}

    back(pipeline, 0)
    later(pipeline)
    assert sorted(pipeline.effects()) == [1, 2, 3, 4, 5, 6]
    assert {row[1] for row in pipeline.rows("position")} == {now}, (
        "what was known of the topic before is forgotten"
    )


def test_a_topic_made_again_while_nobody_listened_is_not_read_either(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2)
    pipeline.workers[GROUP].run(lambda: True)
    pipeline.broker.delete(TOPIC)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS)
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    place(pipeline, 0, 3, 4, 5)
    assert pipeline.effects() == [1, 2]
    back(pipeline, 1, 0)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 4, 5]
    assert [row.halted is None for _, row in sorted(rows(pipeline).items())] == [True, False, False]


def test_a_group_whose_offsets_are_in_the_log_does_not_read_it_either(moved_pipeline, caplog):
    pipeline = moved_pipeline("at-least-once")
    place(pipeline, 0, 1)
    pipeline.broker.delete(TOPIC)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS)
    place(pipeline, 0, 2, 3)
    assert pipeline.effects() == [1]
    assert len(said(caplog)) == PARTITIONS
    back(pipeline, 0)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 3]


def test_an_out_of_range_partition_of_a_group_whose_offsets_are_in_the_log(moved_pipeline, caplog):
    pipeline = moved_pipeline("at-least-once")
    worker = pipeline.workers[GROUP]
    worker._log.start({p: 1_000 for p in worker._log.positions() if p.number == 0})
    pipeline.run()
    assert len(said(caplog)) == 1
    assert rows(pipeline)[0].halted is not None
    place(pipeline, 1, 2)
    place(pipeline, 0, 1)
    assert pipeline.effects() == [2]
    back(pipeline, 0, 0)
    later(pipeline)
    assert pipeline.effects() == [2, 1]


def test_another_group_that_begins_reads_a_topic_made_again(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1)
    with pipeline.engine.begin() as db:
        db.execute(update(position).values(group_name="shop.elsewhere"))
    pipeline.workers[GROUP].run(lambda: True)
    pipeline.broker.delete(TOPIC)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS)
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    place(pipeline, 0, 2)
    assert pipeline.effects() == [1, 2]


def test_a_partition_added_to_a_halted_topic_is_read_from_its_beginning(moved_pipeline):
    pipeline = moved_pipeline(first_offset="latest")
    pipeline.broker.delete(TOPIC)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS)
    place(pipeline, 0, 1)
    pipeline.broker.add_partitions(TOPIC, PARTITIONS + 1)
    key = next(f"k{n}" for n in range(50) if partition_of(f"k{n}".encode(), PARTITIONS + 1) == PARTITIONS)
    pipeline.handle(Placed(k=key, n=9))
    assert pipeline.effects() == [9]
    assert rows(pipeline)[PARTITIONS].halted is None
