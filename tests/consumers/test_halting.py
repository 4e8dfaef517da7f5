"""Partitions that cannot be read, positions that somebody moves, and topics that are made again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from consumers.stage import TOPIC, Placed, Play, Stage, note
from oyez.consumers import Handlers
from oyez.consumers.database import Database, positions
from oyez.consumers.database.positions import Held, Partition
from oyez.consumers.database.rewinding import rewind
from oyez.consumers.database.tables import position
from oyez.consumers.handlers import Promise
from oyez.producers import partition_of

GROUP = "shop.placed"
PARTITIONS = 3
KEYS = {partition_of(f"k{n}".encode(), PARTITIONS): f"k{n}" for n in range(50)}
"""A key of each partition."""


@pytest.fixture
def shelf(play: Play) -> Callable[..., Stage]:
    """A stage with three partitions whose worker has started, in a group with this promise."""

    def make(promise: Promise = "exactly-once", **said: Any) -> Stage:
        on = Handlers("shop", promises={"placed": promise})

        @on(Placed, order="none")
        def noted(events: list[Placed], db: Connection) -> None:
            note(db, "noted", *(one.n for one in events))

        stage = play(on, **said)
        stage.broker.add_partitions(TOPIC, PARTITIONS)
        stage.run()
        return stage

    return make


def place(stage: Stage, number: int, *numbers: int) -> None:
    """Announce events in one partition, and run."""
    stage.handle(*(Placed(k=KEYS[number], n=n) for n in numbers))


def rows(stage: Stage) -> dict[int, Any]:
    """The rows of the topic as it is now, by partition."""
    with stage.engine.connect() as db:
        ours = position.c.topic_id == stage.broker.topic_id(TOPIC)
        found = db.execute(select(position).where(ours).order_by(position.c.partition))
        return {row.partition: row for row in found}


def alter(stage: Stage, number: int, **values: Any) -> None:
    with stage.engine.begin() as db:
        db.execute(update(position).where(position.c.partition == number).values(**values))


def back(stage: Stage, to: int, *numbers: int, is_again: bool = False) -> dict[Partition, Held]:
    """Rewind some partitions, or all."""
    topic_id = stage.broker.topic_id(TOPIC)
    wanted = {Partition(TOPIC, topic_id, n): to for n in numbers or range(PARTITIONS)}
    return Database(stage.engine).repeat(
        lambda db: rewind(db, GROUP, wanted, stage.clock(), is_again=is_again)
    )


def later(stage: Stage) -> None:
    """After the worker has looked at its rows."""
    stage.later(5.1)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "is not read any more" in record.getMessage()]


def strand(stage: Stage, number: int) -> None:
    alter(stage, number, position=1_000)
    later(stage)


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


# What is handled again


def test_again_handles_again_what_was_read_before_and_only_that(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    place(stage, 1, 7)
    place(stage, 0, 4)
    back(stage, 1, 0, is_again=True)
    place(stage, 0, 5)
    later(stage)
    assert stage.effects() == [1, 2, 3, 7, 4, 2, 3, 4, 5]


def test_again_handles_an_event_once_in_a_batch(shelf):
    stage = shelf()
    place(stage, 0, 1)
    first = stage.broker.read(TOPIC, 0, 0, 1)[0]
    stage.broker.append(TOPIC, KEYS[0].encode(), first.value())
    stage.run()
    assert stage.effects() == [1]
    back(stage, 0, 0, is_again=True)
    later(stage)
    assert stage.effects() == [1, 1]


def test_a_second_rewind_does_not_forget_how_far_the_first_one_went(shelf):
    stage = shelf(batch=1)
    place(stage, 0, 1, 2, 3)
    assert back(stage, 0, 0, is_again=True)
    assert back(stage, 1, 0, is_again=True)
    later(stage)
    assert stage.effects() == [1, 2, 3, 2, 3]


def test_a_rewind_without_again_ends_it(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    back(stage, 0, 0, is_again=True)
    back(stage, 0, 0)
    later(stage)
    assert stage.effects() == [1, 2, 3]


def test_parked_and_dead_shares_of_what_is_handled_again_stay_single(play):
    on = Handlers("shop")
    broken = {1, 2}

    @on(Placed)
    def picky(one: Placed, db: Connection) -> None:
        if one.n in broken:
            raise ValueError("broken")
        note(db, "picky", one.n)

    stage = play(on, max_attempts=1)
    stage.handle(Placed(k="a", n=1))
    assert len(stage.dead()) == 1
    stage._settings = stage._settings.model_copy(update={"max_attempts": 9})
    stage.workers[GROUP].run(lambda: True)
    stage.workers[GROUP] = stage.worker(GROUP)
    stage.handle(Placed(k="b", n=2), Placed(k="b", n=3))
    assert len(stage.parked()) == 2
    back(stage, 0, 0, is_again=True)
    stage.clock.now += 5.1
    stage.workers[GROUP].step()
    stage.run()
    assert [n for _, n, _ in stage.parked()] == [2, 3, 1]
    assert len(stage.dead()) == 1


# Topics that are made again


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
