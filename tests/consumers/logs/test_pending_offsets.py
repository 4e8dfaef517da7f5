"""When a member commits its group's offsets: once a second, and before it gives anything up."""

from __future__ import annotations

from typing import Any, cast

import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.pending_offsets import EVERY, PendingOffsets

ZERO, ONE = Partition("events", "id", 0), Partition("events", "id", 1)


class RecordingClient:
    """Stands for a client, and only notes what it is asked to commit."""

    def __init__(self) -> None:
        self.commits: list[dict[int, int]] = []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.commits.append({one.partition: one.offset for one in offsets})


class Member:
    """Pending offsets at a time that is set."""

    def __init__(self) -> None:
        self.now = 100.0
        self.client = RecordingClient()
        self.started = {ZERO, ONE}
        client = cast("Consumer", self.client)
        self.pending = PendingOffsets(lambda: client, self.started, lambda: self.now)


@pytest.fixture
def member() -> Member:
    return Member()


def test_what_is_handled_within_a_second_of_a_start_waits(member: Member) -> None:
    """Were the member killed now, nobody would believe that it got on."""
    member.now += 10 * EVERY
    member.pending.commit()
    member.now += EVERY / 2
    assert not member.pending.put({ZERO: 1}, "at-least-once")
    assert member.client.commits == []
    member.now += EVERY / 2
    assert member.pending.put({ZERO: 2}, "at-least-once") == {ZERO}
    assert member.client.commits == [{0: 2}]


def test_what_was_committed_between_is_told_of_with_the_next_move_of_each(member: Member) -> None:
    """A poll commits what is due; of a partition beside a busy one it is told later, and once."""
    member.pending.put({ZERO: 1, ONE: 1}, "at-least-once")
    member.now += EVERY
    member.pending.commit_if_due()
    assert member.client.commits == [{0: 1, 1: 1}]
    assert member.pending.put({ZERO: 2}, "at-least-once") == {ZERO}
    assert member.pending.put({ZERO: 3}, "at-least-once") == set()
    assert member.pending.put({ZERO: 4, ONE: 2}, "at-least-once") == {ONE}


def test_what_is_committed_in_haste_is_not_told_of(member: Member) -> None:
    member.pending.put({ZERO: 1}, "at-least-once")
    member.pending.commit()
    assert member.pending.put({ZERO: 2}, "at-least-once") == set()
    assert member.client.commits == [{0: 1}]


def test_the_newest_is_committed_once_a_second(member: Member) -> None:
    member.now += EVERY
    for offset in range(1, 81):
        member.pending.put({ZERO: offset, ONE: 2 * offset}, "exactly-once")
        member.now += EVERY / 16
    assert member.client.commits == [{0: n, 1: 2 * n} for n in (1, 17, 33, 49, 65)]
    member.pending.commit_if_due()
    assert member.client.commits[-1] == {0: 80, 1: 160}, "also when no more is handled"
    member.now += EVERY
    member.pending.commit_if_due()
    assert len(member.client.commits) == 6, "only what was not committed before"


def test_of_a_partition_that_was_given_up_nothing_is_committed(member: Member) -> None:
    member.now += EVERY
    member.pending.put({ZERO: 1}, "exactly-once")
    member.pending.put({ZERO: 2, ONE: 7}, "exactly-once")
    member.started.remove(ZERO)
    member.pending.commit()
    assert member.client.commits == [{0: 1}, {1: 7}]


@given(st.lists(st.tuples(st.sampled_from([ZERO, ONE]), st.floats(0, 3)), max_size=60))
def test_nothing_waits_for_more_than_a_second_of_polls(steps: list[tuple[Any, float]]) -> None:
    member = Member()
    handled: dict[int, int] = {}
    waiting_since: float | None = None
    for offset, (partition, pause) in enumerate(steps):
        handled[partition.number] = offset
        member.pending.put({partition: offset}, "at-least-once")
        member.now += pause
        member.pending.commit_if_due()
        known: dict[int, int] = {}
        for commit in member.client.commits:
            assert all(commit[number] >= known.get(number, -1) for number in commit), "never backwards"
            known |= commit
        waiting_since = None if known == handled else waiting_since or member.now - pause
        assert waiting_since is None or member.now - waiting_since < EVERY
    member.pending.commit()
    assert {
        number: offset for commit in member.client.commits for number, offset in commit.items()
    } == handled


def test_what_was_given_up_begins_anew_when_it_comes_back(member: Member) -> None:
    member.pending.put({ZERO: 1}, "at-least-once")
    member.now += EVERY
    member.pending.commit_if_due()
    member.started.remove(ZERO)
    member.pending.commit()  # as before each start
    member.started.add(ZERO)
    assert member.pending.put({ZERO: 2}, "at-least-once") == set()
