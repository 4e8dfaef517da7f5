"""Appending to the spool: by many at once, over rotations, beside those that died, and on a full disk."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers.spool import LogReader, SegmentName, Segments, SpoolError, Writer, found_in
from producers.spool.appending import FORK, append_many, in_order, lines_of, record, segments
from producers.spool_shipping.logs_to_ship import DEEP
from support.waiting import eventually


def test_what_is_appended_is_read_in_order_over_rotations(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t", segment_bytes=300)
    append_many(writer, "a", 50)
    writer.close()
    assert in_order(lines_of(tmp_path)) == {"a": list(range(50))}
    names = [SegmentName.parse(file.name) for file in segments(tmp_path / "t")]
    assert len(names) > 5
    sizes = [file.stat().st_size for file in segments(tmp_path / "t")]
    assert [name.base for name in names if name] == [sum(sizes[:n]) for n in range(len(sizes))]
    assert len({name.created for name in names if name}) < len(names), "several were begun in one second"


def test_no_room_for_the_counter_in_the_lock_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is mapped: with a hole in its place, a full disk would be a signal that ends the process."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = Writer(tmp_path / "t", "t")
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            append_many(writer, "a", 1)
    append_many(writer, "a", 1)
    assert in_order(lines_of(tmp_path)) == {"a": [0]}


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        writer = Writer(tmp_path / "s" / "t", "t", segment_bytes=100)
        append_many(writer, "a", 10)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s" / "t").stat().st_mode) == 0o700
    for file in (tmp_path / "s" / "t").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


@pytest.mark.parametrize(
    "torn", [b'{"who": "dead", "n"', b"{", b"\0\0\0\0", b'{"a":"' + b"x" * 200_000, DEEP]
)
def test_a_torn_tail_is_never_glued_to_what_comes_next(tmp_path: Path, torn: bytes) -> None:
    writer = Writer(tmp_path / "t", "t")
    append_many(writer, "a", 3)
    with segments(tmp_path / "t")[-1].open("ab") as file:
        file.write(torn)
    writer.append(record("a", 3))
    Writer(tmp_path / "t", "t").append(record("a", 4))
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1, 2, 3, 4]}


def test_a_record_that_lacks_nothing_but_its_line_feed_is_kept(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))
    with segments(tmp_path / "t")[-1].open("ab") as file:
        file.write(record("a", 1))
    writer.append(record("a", 2))
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1, 2]}


def test_a_torn_tail_waits_in_the_newest_segment(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t")
    append_many(writer, "a", 2)
    with segments(tmp_path / "t")[-1].open("ab") as file:
        file.write(b'{"who"')
    assert len(lines_of(tmp_path)) == 2


def test_a_segment_that_another_process_sealed_is_written_to_no_more(tmp_path: Path) -> None:
    one = Writer(tmp_path / "t", "t", segment_bytes=200)
    two = Writer(tmp_path / "t", "t", segment_bytes=200)
    for n in range(40):
        (one if n % 3 else two).append(record("a", n))
    assert in_order(lines_of(tmp_path)) == {"a": list(range(40))}


def test_a_death_between_sealing_and_beginning_loses_nothing(tmp_path: Path) -> None:
    one = Writer(tmp_path / "t", "t")
    one.append(record("a", 0))
    segments(tmp_path / "t")[-1].chmod(0o400)
    two = Writer(tmp_path / "t", "t")
    one.append(record("a", 1))
    two.append(record("a", 2))
    one.append(record("a", 3))
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1, 2, 3]}
    assert len(segments(tmp_path / "t")) == 2


def test_age_begins_a_new_segment(tmp_path: Path) -> None:
    now = [1_000_000.0]
    writer = Writer(tmp_path / "t", "t", segment_seconds=60, clock=lambda: now[0])
    for n in range(4):
        writer.append(record("a", n))
        now[0] += 40
    assert len(segments(tmp_path / "t")) == 2
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1, 2, 3]}


def fill_up(path: Path, limit: int, answer: Any) -> None:
    """Append until the file size limit stands in the way; then with more room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit * 10))
    writer, done, error = Writer(path, "t"), 0, ""
    try:
        while True:
            writer.append(record("a", done, 50))
            done += 1
    except OSError as full:
        error = full.strerror
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit * 10, limit * 10))
    writer.append(record("a", done, 50))
    answer.send((done, error))


def test_a_full_disk_is_told_at_once_and_what_was_recorded_is_intact(tmp_path: Path) -> None:
    ours, theirs = FORK.Pipe()
    child = FORK.Process(target=fill_up, args=(tmp_path / "t", 5_000, theirs))
    child.start()
    assert ours.poll(20)
    done, error = ours.recv()
    child.join(60)
    assert child.exitcode == 0
    assert done > 10
    assert error in ("File too large", "No space left on device")
    assert in_order(lines_of(tmp_path)) == {"a": list(range(done + 1))}


@pytest.mark.parametrize("several", [False, True])
def test_a_short_write_leaves_nothing(tmp_path: Path, several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK of `os.write`: a disk that is full after some bytes cannot be had without being root."""
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))
    real = os.write
    append = writer.append_all if several else lambda records: writer.append(records[0])
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:-3]))
    with pytest.raises(OSError, match="No space"):
        append([record("a", 1), record("a", 2)])
    monkeypatch.undo()
    assert in_order(lines_of(tmp_path)) == {"a": [0]}
    writer.append(record("a", 1))
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1]}


@pytest.mark.parametrize("others", [False, True])
def test_what_cannot_be_forced_to_disk_is_taken_back(
    tmp_path: Path, others: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.fsync`: a disk that breaks."""
    writer = Writer(tmp_path / "t", "t", fsync="always")
    writer.append(record("a", 0))
    if others:
        Writer(tmp_path / "t", "t").append(record("b", 0))

    def broken(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        writer.append(record("a", 1))
    monkeypatch.undo()
    writer.append(record("a", 1))
    assert in_order(lines_of(tmp_path))["a"] == [0, 1]


def test_a_folder_of_another_topic_is_refused(tmp_path: Path) -> None:
    Writer(tmp_path / "t", "one").append(b"{}")
    with pytest.raises(SpoolError, match="is for the topic one, not two"):
        Writer(tmp_path / "t", "two").append(b"{}")


def test_a_damaged_identity_is_told(tmp_path: Path) -> None:
    Writer(tmp_path / "t", "t").append(b"{}")
    (tmp_path / "t" / "folder.json").write_text("{")
    with pytest.raises(SpoolError, match="is damaged"):
        Writer(tmp_path / "t", "t").append(b"{}")


def announce_until_killed(path: Path, who: int, answer: Any) -> None:
    writer, n = Writer(path, "t", fsync="always", segment_bytes=3_000), 0
    while True:
        writer.append(record(who, n, 40))
        answer.send(n)
        n += 1


def test_killed_at_any_moment_only_what_was_in_flight_is_missing(tmp_path: Path) -> None:
    told: dict[str, int] = {}
    for round_number in range(6):
        pipes = [FORK.Pipe(duplex=False) for _ in range(4)]
        names = [f"{round_number}.{n}" for n in range(4)]
        children = [
            FORK.Process(target=announce_until_killed, args=(tmp_path / "t", name, theirs))
            for name, (_, theirs) in zip(names, pipes, strict=True)
        ]
        for child, (_, theirs) in zip(children, pipes, strict=True):
            child.start()
            theirs.close()
        for child, name, (ours, _) in zip(children, names, pipes, strict=True):
            eventually(lambda ours=ours: ours.poll(0))
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join(60)
            try:
                while True:
                    told[name] = ours.recv()
            except EOFError:
                ours.close()
    found = in_order(lines_of(tmp_path))
    for name, last in told.items():
        assert found[name] == list(range(len(found[name])))
        assert last + 1 <= len(found[name]) <= last + 2
    assert set(found) == set(told)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 400)), max_size=60), st.integers(1, 2_000))
def test_any_positions_and_limits_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], limit: int
) -> None:
    path = tmp_path_factory.mktemp("spool")
    writers = [Writer(path / "t", "t", fsync="never", segment_bytes=limit) for _ in range(3)]
    given_lines = []
    for n, (who, size) in enumerate(steps):
        given_lines.append(record(who, n, size))
        writers[who].append(given_lines[-1])
    if not given_lines:
        return
    assert lines_of(path) == given_lines
    (folder,) = found_in([path], "t")
    begins, lines, end = LogReader(Segments(folder.path, folder.log_id)).read(0, 1_000)
    position = 0
    for line in given_lines:
        _, (got,), after = LogReader(Segments(folder.path, folder.log_id)).read(position, 1)
        assert got == line
        assert after == position + len(line) + 1
        position = after
    assert begins[: len(lines)] == sorted(begins)
    assert end <= position
