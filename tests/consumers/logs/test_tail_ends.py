"""Everything has been read that was there at the beginning, however much comes meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from consumers.logs.test_spool_tail import event
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka import tail as kafka_tail
from oyez.consumers.logs.offsets import PartitionEnds
from oyez.consumers.logs.spool.tail import SpoolTail
from oyez.consumers.reports.passing import Wanted, passing
from oyez.producers.spool import Writer, found_in

MOST = 20  # looks at a log


def test_a_busy_spool_comes_to_the_end_that_it_had(tmp_path: Path) -> None:
    tail = SpoolTail(lambda: found_in([tmp_path], "t"), {"t"}, sleep=lambda _seconds: None)
    found: list[Any] = []
    with closing(tail), closing(Writer(tmp_path / "t", "t")) as writer:
        for number in range(3):
            writer.append(event(number, 1))
        tail.follow({partition: ends.low for partition, ends in tail.ends().items()})
        assert not tail.is_at_end
        for number in range(3, MOST):
            writer.append(event(number, 1))
            found += tail.poll(0.0)
            if tail.is_at_end:
                break
        else:
            pytest.fail("it has no end")
    ids = [one.event_id for one in passing(found, Wanted())]
    assert ids == [str(n) for n in range(len(ids))]
    assert len(ids) >= 3


def test_a_line_that_is_not_finished_is_no_part_of_what_is_there(tmp_path: Path) -> None:
    """Of two folders one is torn, and the other one is busy."""
    for topic in ("a", "b"):
        with closing(Writer(tmp_path / topic, "t")) as writer:
            writer.append(event(0, 1))
    (torn,) = (tmp_path / "a").glob("*.ndjson")
    with torn.open("ab") as file:
        file.write(b'{"half')
    tail = SpoolTail(lambda: found_in([tmp_path], "t"), {"t"}, sleep=lambda _seconds: None)
    with closing(tail), closing(Writer(tmp_path / "b", "t")) as writer:
        tail.follow({partition: ends.low for partition, ends in tail.ends().items()})
        for number in range(1, MOST):
            writer.append(event(number, 1))
            tail.poll(0.0)
            if tail.is_at_end:
                return
    pytest.fail("it has no end")


class Message:
    """A record of the busy partition."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def error(self) -> None:
        """It is a record."""


class Busy:
    """A MOCK of a client whose partition has one more record each time: it never says that it is at the end."""

    def __init__(self, _config: object) -> None:
        self._given = 0

    def poll(self, _wait: float) -> Message:
        self._given += 1
        return Message(self._given - 1)

    def consume(self, _count: int, _wait: float) -> list[Message]:
        return []

    def incremental_assign(self, _partitions: object) -> None:
        """There is but one."""

    def close(self) -> None:
        """Nothing is held."""


class BusyTail(kafka_tail.KafkaTail):
    """It had three records when it was asked."""

    def ends(self) -> Mapping[Partition, PartitionEnds]:
        return {Partition("t", "id", 0): PartitionEnds(0, 3)}


def test_a_busy_topic_comes_to_the_end_that_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_tail, "Consumer", Busy)
    with closing(BusyTail("127.0.0.1:9", {}, {"t"})) as tail:
        tail.follow({Partition("t", "id", 0): 0})
        assert not tail.is_at_end
        found: list[Any] = []
        while not tail.is_at_end:
            found += tail.poll(0.0)
            assert len(found) < MOST
    assert [one.offset() for one in found] == [0, 1, 2]
