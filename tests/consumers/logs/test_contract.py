"""What every log must do, the same for each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from consumers.logs.contract_logs import KafkaSetup, LogSetup, MemorySetup, Reading, SpoolSetup
from oyez.consumers.core.record import Record
from oyez.consumers.database.engine import Database, make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.logs.log import LogAway
from support.waiting import eventually

PROTOCOLS: Mapping[str, Mapping[str, str]] = {
    "cooperative": {},
    "eager": {"partition.assignment.strategy": "range"},
    "kip-848": {"group.protocol": "consumer"},
}


@pytest.fixture
def spool_setup(sqlite: str, tmp_path: Path) -> Iterator[SpoolSetup]:
    engine = make_engine(sqlite)
    upgrade(engine)
    yield SpoolSetup(tmp_path / "spool", Database(engine))
    engine.dispose()


@pytest.fixture(params=["memory", "spool", *PROTOCOLS])
def setup(request: pytest.FixtureRequest) -> Iterator[LogSetup]:
    made: LogSetup
    if request.param == "memory":
        made = MemorySetup()
    elif request.param == "spool":
        made = request.getfixturevalue("spool_setup")
    else:
        services = request.getfixturevalue("kafka"), request.getfixturevalue("topic")
        made = KafkaSetup(*services, PROTOCOLS[request.param])
    yield made
    made.close()


def _fill(setup: LogSetup, keys: int, each: int) -> None:
    for n in range(each):
        for key in range(keys):
            setup.append(f"k{key}", f"k{key}/{n}")


def test_a_member_gets_every_record_once_in_the_order_of_its_key(setup: LogSetup):
    _fill(setup, 8, 5)
    reading = Reading(setup.join("a"))
    reading.until(lambda: len(reading.seen) >= 40)
    by_key = defaultdict(list)
    for value in reading.values():
        by_key[value.split("/")[0]].append(int(value.split("/")[1]))
    assert by_key == {f"k{key}": [0, 1, 2, 3, 4] for key in range(8)}


def test_positions_are_the_offsets_after_what_was_returned(setup: LogSetup):
    _fill(setup, 8, 3)
    reading = Reading(setup.join("a"))
    reading.until(lambda: len(reading.seen) >= 24)
    last = defaultdict(int)
    for _, record in reading.seen:
        last[record.partition()] = max(last[record.partition()], setup.after(record))
    assert {p.number: at for p, at in reading.members[0].positions().items() if at} == dict(last)


def test_at_most_the_limit_is_returned(setup: LogSetup):
    _fill(setup, 4, 5)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4)
    got = 0
    while got < 20 - len(reading.seen):
        records = log.poll(3, 1.0)
        assert len(records) <= 3
        got += len(records)


def test_start_reads_again_from_an_earlier_position_and_nothing_else(setup: LogSetup):
    _fill(setup, 8, 4)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) >= 32)
    counts = Counter(record.partition() for _, record in reading.seen)
    again = {p: setup.second(p) for p in log.positions() if counts[p.number] > 1}
    expected = sum(counts[p.number] - 1 for p in again)
    reading.seen.clear()
    log.start(again)
    reading.until(lambda: len(reading.seen) >= expected)
    assert len(reading.seen) == expected
    first: dict[int, int] = {}
    for _, record in reading.seen:
        first.setdefault(record.partition(), record.offset())
    assert first == {p.number: at for p, at in again.items()}, (
        "a record from before the new position was let out"
    )


def test_two_groups_read_everything_each(setup: LogSetup):
    _fill(setup, 8, 2)
    first, second = Reading(setup.join("a")), Reading(setup.join("b"))
    first.until(lambda: len(first.seen) >= 16)
    second.until(lambda: len(second.seen) >= 16)
    assert sorted(first.values()) == sorted(second.values())


def test_members_share_the_partitions_and_a_leaver_gives_its_part_back(setup: LogSetup):
    one, two = setup.join("a"), setup.join("a")
    reading = Reading(one, two)
    reading.until(lambda: len(one.positions()) == 2 and len(two.positions()) == 2, timeout=60)
    assert not one.positions().keys() & two.positions().keys()
    _fill(setup, 8, 3)
    reading.until(lambda: len(reading.seen) >= 24)
    two.close()
    setup.members.remove(two)
    reading.members.remove(two)
    _fill(setup, 8, 3)
    reading.until(lambda: len(reading.seen) >= 48 and len(one.positions()) == 4, timeout=60)
    assert len(reading.seen) == 48


def test_a_partition_that_is_left_is_read_no_more_until_it_is_started_again(setup: LogSetup):
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4)
    left = next(iter(log.positions()))
    log.leave(left)
    _fill(setup, 16, 2)
    there = {p.number for p in log.positions()}
    assert left.number not in there
    assert log.gained() == [left]
    expected = len([k for k in range(16) if setup.number(f"k{k}") in there]) * 2
    seen: list[Record] = []
    while len(seen) < expected:
        seen.extend(log.poll(100, 1.0))
    assert not log.poll(100, 0.1)
    assert {record.partition() for record in seen} <= there

    log.start({left: 0})
    reading.until(lambda: len(reading.seen) >= 32 - expected)
    assert {record.partition() for _, record in reading.seen} == {left.number}


def test_told_offsets_count_only_from_an_at_least_once_group(setup: LogSetup):
    _fill(setup, 4, 1)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) >= 4)
    partition, at = next((p, at) for p, at in log.positions().items() if at)
    log.offsets.commit({partition: at}, "exactly-once")
    reading.turn()
    assert log.offsets.committed([partition]) == {}
    log.offsets.commit({partition: at}, "at-least-once")
    reading.until(lambda: log.offsets.committed(log.offsets.siblings(partition)) == {partition: at})


def test_first_offsets_and_siblings(setup: LogSetup):
    _fill(setup, 8, 2)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4 and len(reading.seen) == 16)
    partition, at = next((p, at) for p, at in log.positions().items() if at)
    assert log.offsets.first_offset(partition, "earliest") == 0
    assert log.offsets.first_offset(partition, "latest") == at
    assert sorted(log.offsets.siblings(partition)) == sorted(log.positions())


def test_a_partition_whose_position_is_not_in_it_is_out_of_range_and_the_others_are_read(setup: LogSetup):
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4)
    broken = min(log.positions())
    log.start({broken: 1_000})
    _fill(setup, 16, 2)
    there = {p.number for p in log.positions() if p != broken}
    expected = len([k for k in range(16) if setup.number(f"k{k}") in there]) * 2
    seen: list[Record] = []
    eventually(lambda: seen.extend(log.poll(100, 0.1)) or (log.out_of_range() and len(seen) >= expected))
    assert log.out_of_range() == {broken: 1_000}
    assert broken not in log.positions()
    assert log.gained() == [broken]
    assert {record.partition() for record in seen} == there
    assert len(seen) == expected

    log.start({broken: 0})
    assert log.out_of_range() == {}
    reading.until(lambda: len(reading.seen) == 32 - expected)


def test_a_partition_that_was_lost_and_gained_while_its_member_was_idle_is_read(setup: LogSetup):
    one = setup.join("a")
    reading = Reading(one)
    reading.until(lambda: len(one.positions()) == 4)
    two = setup.join("a")

    def dealt() -> bool:
        one.idle()
        Reading(two).turn()
        return len(one.positions()) < 4 and len(two.positions()) == 2

    eventually(dealt)
    two.close()
    setup.members.remove(two)
    reading.until(lambda: len(one.positions()) == 4)
    _fill(setup, 16, 2)
    reading.until(lambda: len(reading.seen) >= 32)
    assert len(reading.seen) == 32


def test_a_topic_made_again_is_never_read_on_at_the_old_positions(setup: LogSetup):
    _fill(setup, 8, 2)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) == 16)
    before = log.positions()
    setup.make_again()
    for n in range(5):
        for key in range(8):
            setup.append(f"k{key}", f"new/{n}")
    seen: list[Record] = []

    def gained() -> bool:
        seen.extend(log.poll(100, 0.05))
        with suppress(LogAway):
            return len(log.gained()) == 4
        return False

    eventually(gained)
    assert seen == []
    assert log.positions() == {}
    assert {p.topic_id for p in log.gained()}.isdisjoint({p.topic_id for p in before})
    assert {p.number for p in log.gained()} == {setup.number(f"k{key}") for key in range(16)}
    log.start(dict.fromkeys(before, 0))
    assert log.positions() == {}, "what was of the topic before is no partition of this one"
    log.start(dict.fromkeys(log.gained(), 0))
    reading.seen.clear()
    reading.until(lambda: len(reading.seen) == 40)
    assert {value.split("/")[0] for value in reading.values()} == {"new"}


def test_a_member_says_when_it_knows_its_partitions_and_what_is_in_them(setup: LogSetup):
    _fill(setup, 4, 2)
    member = setup.join("a")
    assert not member.is_settled()
    reading = Reading(member)
    reading.until(member.is_settled)
    assert len(member.positions()) == 4
    starts = member.positions()
    reading.until(lambda: len(reading.seen) >= 8)
    reading.until(lambda: len(member.lags()) == 4)
    assert sum(member.count(p, at) for p, at in member.positions().items()) == 0
    assert sum(member.count(p, at) for p, at in starts.items()) == 8


# The protocol of KIP-848 deals partitions at its heartbeats, which takes ten seconds.
@pytest.mark.parametrize("setup", ["memory", "spool", "cooperative", "eager"], indirect=True)
def test_a_member_that_joins_another_knows_its_partitions_when_it_has_them(setup: LogSetup):
    first = setup.join("a")
    Reading(first).until(first.is_settled)
    second = setup.join("a")
    Reading(first, second).until(second.is_settled)
    assert second.positions()
