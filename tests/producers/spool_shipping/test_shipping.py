"""Shipping the spool: in order, marking what has arrived, past what never will, by one process at a time."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers import MemoryBroker, MemoryTransport
from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool.blanks import blank
from oyez.producers.spool_shipping import LogShipper, Mark, SpoolShipper, Stuck, Troubles, count_refused
from producers.kafka.failover.fakes import FakeBroker, FakeShipping, event
from producers.spool_shipping.logs_to_ship import DEEP, end, marked, never, numbers, spooled, the_log


def test_all_logs_are_shipped_to_their_topics_with_the_keys_of_the_events(tmp_path: Path) -> None:
    spooled(tmp_path, 30)
    spooled(tmp_path, 2, topic="u")
    (tmp_path / "copies").mkdir()
    (tmp_path / "u").rename(tmp_path / "copies" / "from-elsewhere")
    broker = MemoryBroker(1)
    spool_shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(MemoryTransport(broker)))
    assert spool_shipper.run(never).shipped == 32
    assert spool_shipper.run(never).shipped == 0
    found = broker.read("t", 0, 0, 99)
    assert [json.loads(record.value() or b"")["n"] for record in found] == list(range(30))
    assert {record.key() for record in found} == {b"a"}
    assert len(broker.read("u", 0, 0, 99)) == 2
    assert marked(tmp_path) == end(tmp_path)


def test_an_event_of_an_unknown_signal_and_one_without_a_key_are_shipped_as_they_are(tmp_path: Path) -> None:
    writer = spooled(tmp_path, 0)
    lines = [
        event("a", 0, type="nobody.knows"),
        event("a", 1, partitionkey=None),
        event("a", 2, partitionkey="ü"),
    ]
    for line in lines:
        writer.append(line)
    broker = MemoryBroker(1)
    SpoolShipper([tmp_path], "t", lambda: OrderedSender(MemoryTransport(broker))).run(never)
    found = broker.read("t", 0, 0, 9)
    assert [record.value() for record in found] == lines
    assert [record.key() for record in found] == [b"a", None, "ü".encode()]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 6))), max_size=12))
def test_what_is_not_marked_is_sent_again_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[int, int | None]]
) -> None:
    path = tmp_path_factory.mktemp("spool")
    writer, total, broker = spooled(path, 1), 1, FakeBroker()
    shipping = FakeShipping(broker)
    for count, fails_at in rounds:
        for _ in range(count):
            writer.append(event("a", total, 100))
            total += 1
        shipping.fails_at = fails_at
        before = len(broker.log)
        done = SpoolShipper([path], "t", lambda: OrderedSender(shipping)).run(never)
        assert len(broker.log) - before == done.shipped, "what has arrived is marked"
        assert bool(done.stuck) == (marked(path) != end(path))
    shipping.fails_at = None
    SpoolShipper([path], "t", lambda: OrderedSender(shipping)).run(never)
    assert numbers(broker) == list(range(total))


def test_lines_that_are_no_events_and_events_that_are_refused_for_ever_are_quarantine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer, broker = spooled(tmp_path, 2), FakeBroker()
    bad = [b"not json", b"[1]", b'{"id": "1"}', b"\xff\x00", event("a", 9, partitionkey=3), DEEP]
    for line in bad:
        writer.append(line)
    large = event("a", 2, 300)
    broker.refused.add(large)
    for line in (large, event("a", 3), event("a", 4)):
        writer.append(line)
    shipping = FakeShipping(broker)
    done = SpoolShipper([tmp_path], "t", lambda: OrderedSender(shipping)).run(never)
    assert done.stuck == {}
    assert numbers(broker) == [0, 1, 3, 4]
    kept = [json.loads(line) for line in (tmp_path / "t" / "refused.ndjson").read_text().splitlines()]
    assert [said["record"].encode("utf-8", "surrogateescape") for said in kept] == [*bad, large]
    assert [said["reason"].split(":")[0] for said in kept] == [
        "it is not JSON",
        "it is not a JSON object",
        "it is not a CloudEvent",
        "it is not JSON",
        "it is not a CloudEvent",
        "it is not JSON",
        "too large",
    ]
    assert count_refused(tmp_path / "t", the_log(tmp_path).log_id) == 7
    assert len([r for r in caplog.records if "was quarantined" in r.getMessage()]) == 7
    assert (tmp_path / "t" / "refused.ndjson").stat().st_mode & 0o777 == 0o600


class SmallBatches(FakeShipping):
    """MOCK of a topic that takes no batch above a size, though every event."""

    def __init__(self, broker: FakeBroker, most: int) -> None:
        super().__init__(broker)
        self._most = most
        self.flushed = 0

    def flush(self, timeout: float) -> None:
        from oyez.producers.transport import Lasting

        self.flushed += 1
        if len(self._taken) > self._most:
            for _, value in self._taken:
                self._report(value, Lasting("the batch is too large"))
            self._taken.clear()
        super().flush(timeout)


def test_a_batch_that_is_too_large_is_no_event_that_is(tmp_path: Path) -> None:
    spooled(tmp_path, 60, limit=1_000_000)
    broker = FakeBroker()
    shipping = SmallBatches(broker, 7)
    SpoolShipper([tmp_path], "t", lambda: OrderedSender(shipping)).run(never)
    assert numbers(broker) == list(range(60))
    assert shipping.flushed < 60, "what follows goes in smaller batches"
    assert not (tmp_path / "t" / "refused.ndjson").exists()


def test_a_broker_that_is_away_is_one_line_in_the_log_and_is_told_to_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spooled(tmp_path, 3)
    broker, now = FakeBroker(), [1_000.0]
    broker.is_up = False
    spool_shipper = SpoolShipper(
        [tmp_path], "t", lambda: OrderedSender(FakeShipping(broker)), clock=lambda: now[0]
    )
    for _ in range(3):
        assert spool_shipper.run(never).stuck == {tmp_path / "t": "the fake broker is away"}
        now[0] += 1
    trouble = Troubles(tmp_path / "t", the_log(tmp_path).log_id)
    told = trouble.read()
    assert told is not None
    assert (told.error, told.since) == ("the fake broker is away", 1_000.0)
    broker.is_up = True
    assert spool_shipper.run(never).shipped == 3
    assert trouble.read() is None
    lines = [record.getMessage() for record in caplog.records if record.name == "oyez.spool"]
    assert [line.split(":")[0].split(" ")[-1] for line in lines] == ["waits", "again"]


def test_a_mark_that_was_being_written_when_the_machine_went_down_is_the_smaller_one(tmp_path: Path) -> None:
    mark = Mark(tmp_path, "x")
    assert mark.read() is None
    mark.write(1_000)
    mark.write(2_000)
    assert mark.read() == 2_000
    mark.path.write_text("00000000000000003000 00000000000000002000\n")
    assert mark.read() == 2_000
    mark.path.write_text("")
    assert mark.read() is None


def test_a_log_that_lost_its_end_is_shipped_from_its_last_segment(tmp_path: Path) -> None:
    """What is appended to it afterwards must not be taken for what was shipped."""
    spooled(tmp_path, 5, limit=1_000_000)
    broker = FakeBroker()
    spool_shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(broker)))
    spool_shipper.run(never)
    (segment,) = (tmp_path / "t").glob("*.ndjson")
    os.truncate(segment, len(segment.read_bytes().splitlines()[0]) + 1)
    spooled(tmp_path, 2, begin=5, limit=1_000_000)
    spool_shipper.run(never)
    assert numbers(broker) == [0, 1, 2, 3, 4, 0, 5, 6]


@pytest.mark.parametrize("name", ["shipped-{}", "ship.lock", "trouble-{}.json", "append.lock"])
def test_what_is_wrong_with_one_log_is_named_and_stops_no_other(tmp_path: Path, name: str) -> None:
    for topic in ("a", "t", "z"):
        spooled(tmp_path, 2, topic=topic)
    spool_shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(FakeBroker())))
    log_id = the_log(tmp_path).log_id
    file = tmp_path / "t" / name.format(log_id)
    file.unlink(missing_ok=True)
    file.mkdir()
    done = spool_shipper.run(never)
    if name.startswith("trouble"):
        assert (done.shipped, done.stuck) == (6, {})
        return
    assert done.shipped == 4
    assert done.stuck == {tmp_path / "t": f"{file}: Is a directory"}
    trouble = Troubles(tmp_path / "t", log_id).read()
    assert trouble is not None
    assert trouble.error == f"{file}: Is a directory"


def test_a_spool_that_cannot_be_looked_through_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "t"))

    monkeypatch.setattr("oyez.producers.spool_shipping.spool_shipper.found_in", denied)
    done = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(FakeBroker()))).run(never)
    assert "Permission denied" in done.stuck[tmp_path]


def test_a_file_in_the_place_of_a_topics_folder_stops_no_other(tmp_path: Path) -> None:
    spooled(tmp_path, 3, topic="u")
    (tmp_path / "t").touch()
    done = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(FakeBroker()))).run(never)
    assert done.shipped == 3
    assert f"{tmp_path / 't'} is no folder" in done.stuck[tmp_path]


def test_a_log_that_cannot_be_read_has_not_shipped_anew_what_it_shipped_before(tmp_path: Path) -> None:
    spooled(tmp_path, 2)
    spool_shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(FakeBroker())))
    assert spool_shipper.run(never).shipped == 2
    mark = Mark(tmp_path / "t", the_log(tmp_path).log_id).path
    mark.unlink()
    mark.mkdir()
    assert spool_shipper.run(never).shipped == 0


def test_a_segment_that_is_not_there_stops_the_log_loudly(tmp_path: Path) -> None:
    spooled(tmp_path, 30, limit=500)
    segments = sorted((tmp_path / "t").glob("*.ndjson"))
    segments[1].unlink()
    with pytest.raises(Stuck, match=r"copy (it|the segment)"):
        LogShipper(the_log(tmp_path)).ship(OrderedSender(FakeShipping(FakeBroker())), never)


def test_what_was_shipped_is_kept_or_not_as_is_set(tmp_path: Path) -> None:
    for retention, left in (("keep", 10), ("archive", 1), ("delete", 1)):
        path = tmp_path / retention
        spooled(path, 10, limit=100)
        spool_shipper = SpoolShipper(
            [path],
            "t",
            lambda: OrderedSender(FakeShipping(FakeBroker())),
            retention=retention,  # type: ignore[arg-type]
        )
        assert spool_shipper.run(never).shipped == 10
        assert len(list((path / "t").glob("*.ndjson"))) == left
        spooled(path, 1, begin=10, limit=100)
        assert spool_shipper.run(never).shipped == 1
    assert len(list((tmp_path / "archive" / "t" / "archive").iterdir())) == 10


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), max_size=12), st.one_of(st.none(), st.integers(0, 6)), st.integers(0, 12))
def test_what_was_forgotten_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, forgotten: list[bool], fails_at: int | None, bad_at: int
) -> None:
    path = tmp_path_factory.mktemp("spool")
    writer, broker = spooled(path, 0), FakeBroker()
    for n, is_gone in enumerate(forgotten):
        line = b"not json" if n == bad_at else event("a", n)
        writer.append(blank(len(line) + 100) or b"" if is_gone else line)
    shipping = FakeShipping(broker)
    shipping.fails_at = fails_at
    SpoolShipper([path], "t", lambda: OrderedSender(shipping)).run(never)
    shipping.fails_at = None
    if forgotten:
        SpoolShipper([path], "t", lambda: OrderedSender(shipping)).run(never)
        assert marked(path) == end(path)
        is_bad = bad_at < len(forgotten) and not forgotten[bad_at]
        assert count_refused(path / "t", the_log(path).log_id) == is_bad
    assert numbers(broker) == [n for n, is_gone in enumerate(forgotten) if not is_gone and n != bad_at]
