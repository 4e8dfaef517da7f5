"""Shipping the spool: in order, marking what has arrived, past what never will, by one process at a time."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers import MemoryBroker, MemoryTransport
from oyez.producers.draining import Drainer, LogDrain, Mark, Stuck, Troubles, count_refused
from oyez.producers.draining.lock import DRAIN, FileLock
from oyez.producers.shipping import Shipper
from oyez.producers.spool import Folder, Segments, Writer, found_in
from producers.failover.fakes import FakeBroker, FakeShipping, event
from support.waiting import eventually

FORK = multiprocessing.get_context("fork")


def never() -> bool:
    return False


def spooled(
    path: Path, count: int, *, topic: str = "t", size: int = 0, limit: int = 2_000, begin: int = 0
) -> Writer:
    """A log with so many events of one thread."""
    writer = Writer(path / topic, topic, fsync="never", segment_bytes=limit)
    for n in range(begin, begin + count):
        writer.append(event("a", n, size))
    return writer


def the_log(path: Path, topic: str = "t") -> Folder:
    return next(folder for folder in found_in([path], topic) if folder.topic == topic)


def marked(path: Path) -> int | None:
    return Mark(path / "t", the_log(path).log_id).read()


def end(path: Path) -> int:
    return Segments(path / "t", the_log(path).log_id).end()


def numbers(broker: FakeBroker) -> list[int]:
    return [json.loads(value)["n"] for _, value in broker.log]


def test_all_logs_are_shipped_to_their_topics_with_the_keys_of_the_events(tmp_path: Path) -> None:
    spooled(tmp_path, 30)
    spooled(tmp_path, 2, topic="u")
    (tmp_path / "copies").mkdir()
    (tmp_path / "u").rename(tmp_path / "copies" / "from-elsewhere")
    broker = MemoryBroker(1)
    drainer = Drainer([tmp_path], "t", lambda: Shipper(MemoryTransport(broker)))
    assert drainer.run(never).shipped == 32
    assert drainer.run(never).shipped == 0
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
    Drainer([tmp_path], "t", lambda: Shipper(MemoryTransport(broker))).run(never)
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
        done = Drainer([path], "t", lambda: Shipper(shipping)).run(never)
        assert len(broker.log) - before == done.shipped, "what has arrived is marked"
        assert bool(done.stuck) == (marked(path) != end(path))
    shipping.fails_at = None
    Drainer([path], "t", lambda: Shipper(shipping)).run(never)
    assert numbers(broker) == list(range(total))


def test_lines_that_are_no_events_and_events_that_are_refused_for_ever_are_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer, broker = spooled(tmp_path, 2), FakeBroker()
    bad = [b"not json", b"[1]", b'{"id": "1"}', b"\xff\x00", event("a", 9, partitionkey=3)]
    for line in bad:
        writer.append(line)
    large = event("a", 2, 300)
    broker.refused.add(large)
    for line in (large, event("a", 3), event("a", 4)):
        writer.append(line)
    shipping = FakeShipping(broker)
    done = Drainer([tmp_path], "t", lambda: Shipper(shipping)).run(never)
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
        "too large",
    ]
    assert count_refused(tmp_path / "t", the_log(tmp_path).log_id) == 6
    assert len([r for r in caplog.records if "was put aside" in r.getMessage()]) == 6
    assert (tmp_path / "t" / "refused.ndjson").stat().st_mode & 0o777 == 0o600


class SmallBatches(FakeShipping):
    """MOCK of a topic that takes no batch above a size, though every event."""

    def __init__(self, broker: FakeBroker, most: int) -> None:
        super().__init__(broker)
        self._most = most

    def flush(self, timeout: float) -> None:
        from oyez.producers.transport import Lasting

        if len(self._taken) > self._most:
            for _, value in self._taken:
                self._report(value, Lasting("the batch is too large"))
            self._taken.clear()
        super().flush(timeout)


def test_a_batch_that_is_too_large_is_no_event_that_is(tmp_path: Path) -> None:
    spooled(tmp_path, 60, limit=1_000_000)
    broker = FakeBroker()
    Drainer([tmp_path], "t", lambda: Shipper(SmallBatches(broker, 7))).run(never)
    assert numbers(broker) == list(range(60))
    assert not (tmp_path / "t" / "refused.ndjson").exists()


def test_a_broker_that_is_away_is_one_line_in_the_log_and_is_told_to_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spooled(tmp_path, 3)
    broker, now = FakeBroker(), [1_000.0]
    broker.is_up = False
    drainer = Drainer([tmp_path], "t", lambda: Shipper(FakeShipping(broker)), clock=lambda: now[0])
    for _ in range(3):
        assert drainer.run(never).stuck == {tmp_path / "t": "the fake broker is away"}
        now[0] += 1
    trouble = Troubles(tmp_path / "t", the_log(tmp_path).log_id)
    told = trouble.read()
    assert told is not None
    assert (told.error, told.since) == ("the fake broker is away", 1_000.0)
    broker.is_up = True
    assert drainer.run(never).shipped == 3
    assert trouble.read() is None
    lines = [record.getMessage() for record in caplog.records if record.name == "oyez.spool"]
    assert [line.split(":")[0].split(" ")[-1] for line in lines] == ["waits", "again"]


def test_one_process_at_a_time_ships_a_log(tmp_path: Path) -> None:
    spooled(tmp_path, 3)
    broker = FakeBroker()
    with FileLock(tmp_path / "t" / DRAIN).held():
        assert LogDrain(the_log(tmp_path)).drain(Shipper(FakeShipping(broker)), never) is None
    assert broker.log == []
    assert LogDrain(the_log(tmp_path)).drain(Shipper(FakeShipping(broker)), never) == 3


def test_a_child_that_is_forked_while_a_log_is_shipped_does_not_keep_its_lock(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    lock = FileLock(tmp_path / "t" / DRAIN)
    with lock.held():
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        lock._close()  # as when this process dies: nobody unlocks it
        try:
            shipper, drain = Shipper(FakeShipping(FakeBroker())), LogDrain(the_log(tmp_path))
            assert eventually(lambda: drain.drain(shipper, never)) == 1
        finally:
            os.close(writer)
            os.waitpid(child, 0)


class Held(FakeShipping):
    """MOCK that notes at each delivery whether anybody could append meanwhile."""

    def __init__(self, broker: FakeBroker, path: Path) -> None:
        super().__init__(broker)
        self._lock = FileLock(path / "append.lock")
        self.could_append: list[bool] = []

    def flush(self, timeout: float) -> None:
        with self._lock.held_if_free() as is_free:
            self.could_append.append(is_free)
        super().flush(timeout)


def test_nobody_appends_while_the_last_events_are_shipped(tmp_path: Path) -> None:
    """Otherwise there would always be one more, and the end would never be reached."""
    spooled(tmp_path, 3_000, size=300, limit=10_000_000)
    shipping = Held(FakeBroker(), tmp_path / "t")
    LogDrain(the_log(tmp_path)).drain(Shipper(shipping), never)
    first, *middle, last = shipping.could_append
    assert first, "announcing does not wait for all of it"
    assert not last
    assert len(middle) > 1


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
    drainer = Drainer([tmp_path], "t", lambda: Shipper(FakeShipping(broker)))
    drainer.run(never)
    (segment,) = (tmp_path / "t").glob("*.ndjson")
    os.truncate(segment, len(segment.read_bytes().splitlines()[0]) + 1)
    spooled(tmp_path, 2, begin=5, limit=1_000_000)
    drainer.run(never)
    assert numbers(broker) == [0, 1, 2, 3, 4, 0, 5, 6]


def test_a_segment_that_is_not_there_stops_the_log_loudly(tmp_path: Path) -> None:
    spooled(tmp_path, 30, limit=500)
    segments = sorted((tmp_path / "t").glob("*.ndjson"))
    segments[1].unlink()
    with pytest.raises(Stuck, match=r"copy (it|the segment)"):
        LogDrain(the_log(tmp_path)).drain(Shipper(FakeShipping(FakeBroker())), never)


def ship_until_killed(path: Path, out: Path) -> None:
    """Ship to a file, slowly."""

    class ToFile(FakeShipping):
        def flush(self, timeout: float) -> None:
            with out.open("ab") as file:
                for _, value in self._taken:
                    file.write(value + b"\n")
                    file.flush()
            self._taken.clear()

    drainer = Drainer([path], "t", lambda: Shipper(ToFile(FakeBroker())))
    while True:
        drainer.run(never)


def test_a_drainer_that_is_killed_at_random_moments_loses_nothing_and_repeats_a_batch_at_most(
    tmp_path: Path,
) -> None:
    dice, path, out = random.Random(5), tmp_path / "spool", tmp_path / "out"
    total, kills, most = 0, 0, 1_000
    while kills < 12:
        spooled(path, 600, begin=total, limit=50_000)
        total += 600
        child = FORK.Process(target=ship_until_killed, args=(path, out))
        child.start()
        size = out.stat().st_size if out.exists() else 0
        wanted = size + dice.randrange(60_000)
        eventually(
            lambda wanted=wanted: (out.exists() and out.stat().st_size > wanted) or marked(path) == end(path),
            20,
        )
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join(20)
        kills += 1
    child = FORK.Process(target=ship_until_killed, args=(path, out))
    child.start()
    eventually(lambda: marked(path) == end(path), 30)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join(20)
    said = []
    for line in out.read_bytes().splitlines():
        try:
            said.append(json.loads(line)["n"])
        except ValueError:
            continue  # the beginning of a line that was being written
    assert list(dict.fromkeys(said)) == list(range(total)), "all, and each for the first time in order"
    assert len(said) - total <= kills * most
