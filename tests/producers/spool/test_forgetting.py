"""Events are taken out of a log for good: nobody else's are touched, and whoever reads it does not notice."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.producers.spool import BytesMissing, Folder, LogReader, Segments, SpoolError, Writer, forget, retire
from oyez.producers.spool.blanks import blank, is_blank
from oyez.producers.spool.forgetting import count
from oyez.producers.spool.locks import locked
from oyez.producers.spool.retiring import LOCK
from oyez.producers.spool_shipping.lock import SHIP_LOCK, FileLock
from oyez.producers.spool_shipping.refused import forget_refused, quarantine, refused_of
from oyez.schemas.encoding import head_of


def event(key: str, n: int) -> bytes:
    said = {"specversion": "1.0", "type": "viewed", "source": "web", "id": f"{key}-{n}", "partitionkey": key}
    return json.dumps({**said, "data": {"n": n}}, separators=(",", ":")).encode()


def is_annas(line: bytes) -> bool:
    return json.loads(line).get("partitionkey") == "anna"


class Log:
    """A log whose segments hold three events each."""

    def __init__(self, path: Path) -> None:
        self.writer = Writer(path / "t", "t", segment_bytes=3 * (len(event("anna", 10)) + 1))
        self.written: list[bytes] = []
        for n in range(10, 19):
            self.append(event("anna" if n % 2 else "bert", n))
        self.folder = Folder.open(path / "t")

    def append(self, record: bytes) -> None:
        self.writer.append(record)
        self.written.append(record)

    def lines(self, position: int = 0) -> list[bytes]:
        reader, found = LogReader(Segments(self.folder.path, self.folder.log_id)), []
        while lines := (read := reader.read(position, 2))[1]:
            found += lines
            position = read[2]
        reader.close()
        return found


def others(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if not is_annas(line)]


def check(log: Log, lines: list[bytes], until: int) -> None:
    """Of the first ``until`` lines those of anna are blank; all else is as it was written."""
    assert len(lines) == len(log.written)
    for at, (line, before) in enumerate(zip(lines, log.written, strict=True)):
        assert len(line) == len(before)
        if at < until and is_annas(before):
            assert json.loads(line)["type"] == "oyez.forgotten"
            assert head_of(line) is not None
            assert b"anna" not in line
        else:
            assert line == before


def test_what_is_sealed_is_rewritten_and_the_open_segment_left(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert count(log.folder, is_annas).events == 4
    done = forget(log.folder, is_annas)
    assert (done.events, done.segments, done.open, done.short) == (3, 2, 1, 0)
    check(log, log.lines(), 6)
    again = forget(log.folder, is_annas)
    assert (again.events, again.open) == (0, 1)


def test_after_a_roll_nothing_is_left_and_writing_goes_on(tmp_path: Path) -> None:
    """Another writer, which has the segment open, goes on in the new one."""
    log = Log(tmp_path)
    Writer(log.folder.path, "t").roll()
    log.append(event("bert", 20))
    done = forget(log.folder, is_annas)
    assert (done.events, done.open) == (4, 0)
    log.append(event("anna", 21))
    check(log, log.lines(), 10)
    Writer(log.folder.path, "t").roll()
    Writer(log.folder.path, "t").roll()  # of an empty one none is made
    assert len(Segments(log.folder.path, log.folder.log_id).all()) == 5


@pytest.mark.parametrize("read", range(9))
def test_a_reader_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, read: int) -> None:
    """It has read so many lines, and holds the segment open, when it is rewritten."""
    log = Log(tmp_path)
    reader, position, found = LogReader(Segments(log.folder.path, log.folder.log_id)), 0, []
    for _ in range(read):
        _, lines, position = reader.read(position, 1)
        found += lines
    forget(log.folder, is_annas)
    while lines := (more := reader.read(position, 1))[1]:
        found += lines
        position = more[2]
        reader.sync()
    reader.close()
    assert others([line for line in found if b"forgotten" not in line]) == others(log.written)
    assert [len(line) for line in found] == [len(line) for line in log.written]
    with pytest.raises(BytesMissing):
        LogReader(Segments(log.folder.path, log.folder.log_id)).read(position + 1, 1)


def test_what_is_archived_is_rewritten_too(tmp_path: Path) -> None:
    log = Log(tmp_path)
    (name, *_) = retire(log.folder, Segments(log.folder.path, log.folder.log_id).all()[1].base, "archive")
    forget(log.folder, is_annas)
    archived = gzip.decompress((log.folder.path / "archive" / f"{name}.gz").read_bytes()).splitlines()
    check(log, archived + log.lines(Segments(log.folder.path, log.folder.log_id).start()), 6)


def test_it_waits_for_nobody_who_archives(tmp_path: Path) -> None:
    log = Log(tmp_path)
    before = {path: path.read_bytes() for path in log.folder.path.glob("*.ndjson")}
    with locked(log.folder.path / LOCK), pytest.raises(SpoolError, match="archived at the moment"):
        forget(log.folder, is_annas)
    assert {path: path.read_bytes() for path in log.folder.path.glob("*.ndjson")} == before


def test_a_file_that_cannot_be_written_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("oyez.producers.spool.forgetting.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        forget(log.folder, is_annas)
    assert log.lines() == log.written
    assert list(log.folder.path.glob("*.new")) == []


def test_what_was_quarantined_is_taken_out_too(tmp_path: Path) -> None:
    folder = Log(tmp_path).folder.path
    for n, key in enumerate(("anna", "bert", "anna")):
        quarantine(folder, "log", n, event(key, n), "too large", 1.0)
    quarantine(folder, "log", 9, b"\xff no event", "it is not JSON", 1.0)
    before = (folder / "refused.ndjson").read_bytes().splitlines()
    assert len(refused_of(folder, is_event_of_annas)) == 2
    with FileLock(folder / SHIP_LOCK).held():
        assert forget_refused(folder, is_event_of_annas) is None
    assert (folder / "refused.ndjson").read_bytes().splitlines() == before
    assert forget_refused(folder, is_event_of_annas) == 2
    assert (folder / "refused.ndjson").read_bytes().splitlines() == [before[1], before[3]]
    assert forget_refused(folder, is_event_of_annas) == 0
    assert forget_refused(tmp_path, is_event_of_annas) == 0


def is_event_of_annas(line: bytes) -> bool:
    return line.startswith(b"{") and is_annas(line)


def test_while_two_write_and_one_reads(tmp_path: Path) -> None:
    """Each segment is sealed and rewritten again and again: the reader gets what others announced, once, in order."""
    path, counts = tmp_path / "t", {"anna": 400, "bert": 400}

    def write(key: str) -> None:
        writer = Writer(path, "t", segment_bytes=2_000)
        for n in range(counts[key]):
            writer.append(event(key, n))
        writer.close()

    Writer(path, "t").append(event("bert", -1))
    folder = Folder.open(path)
    reader, position, found = LogReader(Segments(path, folder.log_id)), 0, []
    lines: list[bytes] = []
    with ThreadPoolExecutor(2) as pool:
        writing, are_done = [pool.submit(write, key) for key in counts], False
        while not are_done or lines:
            are_done = all(one.done() for one in writing)
            Writer(path, "t").roll()
            forget(folder, is_annas)
            _, lines, position = reader.read(position, 50)
            found += lines
    reader.close()
    bert = [json.loads(line)["data"]["n"] for line in found if json.loads(line).get("partitionkey") == "bert"]
    assert bert == list(range(-1, counts["bert"]))
    assert len(found) == 1 + sum(counts.values())
    Writer(path, "t").roll()
    forget(folder, is_annas)
    assert not any(b"anna" in file.read_bytes() for file in path.glob("*.ndjson"))


@given(st.integers(0, 400))
def test_what_stands_in_the_place_of_an_event_has_its_length(size: int) -> None:
    found = blank(size)
    if found is not None:
        assert len(found) == size
        assert json.loads(found) == {
            "specversion": "1.0",
            "type": "oyez.forgotten",
            "source": "oyez",
            "id": "0",
            "data": {},
        }
    assert (found is None) == (size < 80)


def test_who_does_not_own_a_log_leaves_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes it could not write any more."""
    log = Log(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: log.folder.path.stat().st_uid + 1)
    with pytest.raises(SpoolError, match="belongs to another user; run this as that user"):
        forget(log.folder, is_annas)
    assert log.lines() == log.written


def test_what_a_killed_one_left_behind_is_removed(tmp_path: Path) -> None:
    """It has what others announced, who may be forgotten later."""
    log = Log(tmp_path)
    path, first, *_ = log.folder.path, *sorted(log.folder.path.glob("*.ndjson"))
    (path / "archive").mkdir()
    left = [
        path / f"{first.name}.new",
        path / "archive" / f"{first.name}.gz.new",
        path / "refused.ndjson.new",
    ]
    strange = path / "notes.new"
    for one in (*left, strange):
        one.write_bytes(event("bert", 1))
    forget(log.folder, lambda _line: False)
    forget_refused(path, is_event_of_annas)
    assert [one for one in left if one.exists()] == []
    assert strange.exists()
    left[0].write_bytes(b"")
    retire(log.folder, Segments(path, log.folder.log_id).all()[1].base, "delete")
    assert list(path.glob("*.ndjson.new")) == []


def test_what_is_blank_is_known(tmp_path: Path) -> None:
    assert is_blank(blank(100) or b"")
    assert not is_blank(event("oyez.forgotten", 1))
