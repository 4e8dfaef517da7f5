"""A log whose first segments are missing, for whoever reads it from position 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool import BytesMissing, LogReader, Segments, Writer, found_in
from oyez.producers.spool.segments import Segment
from oyez.producers.spool_shipping import Mark, SpoolShipper
from producers.kafka.failover.fakes import FakeBroker, FakeShipping
from producers.spool.appending import append_many, segments


class ListedLate(Segments):
    """MOCK of a list of files that has what came last, and lacks what came before that, while it was made."""

    lists = 0

    def _listed(self) -> list[Segment]:
        self.lists += 1
        return {1: [], 2: super()._listed()[1:]}.get(self.lists, super()._listed())


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    append_many(Writer(tmp_path / "t", "t", segment_bytes=100), "a", 10)
    return tmp_path / "t"


def log_id(log: Path) -> str:
    (folder,) = found_in([log], "t")
    return folder.log_id


def test_it_is_said_that_the_beginning_is_missing(log: Path) -> None:
    segments(log)[0].unlink()
    with pytest.raises(BytesMissing, match="position 0 is before the first segment"):
        LogReader(Segments(log, log_id(log))).read(0, 10)


def test_a_log_that_has_no_segment_yet_is_waited_for(log: Path) -> None:
    known = log_id(log)
    for segment in segments(log):
        segment.unlink()
    assert LogReader(Segments(log, known)).read(0, 10) == ([], [], 0)


def test_segments_that_come_while_they_are_listed_are_not_missing(log: Path) -> None:
    reader = LogReader(ListedLate(log, log_id(log)))
    assert reader.read(0, 10)[1] == []
    assert reader.read(0, 10)[1]


def test_a_shipper_says_so_too(log: Path) -> None:
    Mark(log, log_id(log)).write(0)
    segments(log)[0].unlink()
    shipper = SpoolShipper([log], "t", lambda: OrderedSender(FakeShipping(FakeBroker())))
    looks = iter(range(100))
    (why,) = shipper.run(lambda: next(looks, None) is None).stuck.values()
    assert "position 0 is before the first segment" in why
