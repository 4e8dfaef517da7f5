"""What may still be taken back is not read by those who keep a position."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oyez.producers.spool import Segments, SettledReader, Writer, found_in
from producers.spool.appending import record, segments

BLOCK = 256 * 1024


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path, "t", fsync="always")
    writer.append(record("a", 0))
    yield writer
    writer.close()


@pytest.fixture(name="reader")
def _reader(tmp_path: Path, writer: Writer) -> Iterator[SettledReader]:
    (folder,) = found_in([tmp_path], "t")
    reader = SettledReader(Segments(folder.path, folder.log_id), sleep=lambda _: None)
    yield reader
    reader.close()


def test_what_cannot_be_forced_to_disk_is_never_read(
    writer: Writer, reader: SettledReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = len(record("a", 0)) + 1
    seen: list[tuple[list[bytes], int]] = []

    def fail(_file: int) -> None:
        seen.append(reader.read(first, 9)[1:])
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="broken"):
            writer.append(record("b", 1))
    assert seen == [([], first)]
    writer.append(record("cc", 2))
    assert reader.read(first, 9)[:2] == ([first], [record("cc", 2)])


@pytest.mark.parametrize("size", [0, 1_000, BLOCK], ids=["small", "larger", "more than is read at once"])
def test_what_finds_no_room_is_never_read(
    writer: Writer, reader: SettledReader, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes a part of several records only. Some of them are whole."""
    first, seen = len(record("a", 0)) + 1, list[tuple[list[bytes], int]]()

    def short(file: int, lines: bytes) -> int:
        written = os.write(file, lines[: len(lines) * 3 // 4])
        seen.append(reader.read(first, 9)[1:])
        return written

    with monkeypatch.context() as patched:
        patched.setattr(writer, "_put", short)
        with pytest.raises(OSError, match="No space"):
            writer.append_all([record("b", n, size) for n in range(4)])
    assert seen == [([], first)]
    writer.append(record("c", 4))
    assert reader.read(first, 9)[:2] == ([first], [record("c", 4)])


def test_a_line_that_is_not_finished_is_not_what_stays(
    tmp_path: Path, writer: Writer, reader: SettledReader
) -> None:
    """A writer died in the middle of it; the next one takes it away, and writes there."""
    first = len(record("a", 0)) + 1
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b'{"who": "died", "n": ')
    assert reader.read(first, 9)[1:] == ([], first)
    writer.append(record("b", 1))
    writer.append(record("c", 2))
    assert reader.read(first, 9)[1] == [record("b", 1), record("c", 2)]


def test_where_the_folder_is_a_copy_nobody_is_asked(tmp_path: Path, reader: SettledReader) -> None:
    (tmp_path / "append.lock").unlink()
    assert reader.read(0, 9)[1] == [record("a", 0)]


def test_a_segment_of_a_copy_that_others_follow_is_whole(tmp_path: Path, writer: Writer) -> None:
    """Its mode may be lost, and its last line feed may never have been written."""
    writer.roll()
    writer.append(record("b", 1))
    first, _ = segments(tmp_path)
    first.chmod(0o600)
    (folder,) = found_in([tmp_path], "t")
    reader = SettledReader(Segments(folder.path, folder.log_id))
    assert reader.read(0, 1)[1] == [record("a", 0)]
    assert reader.read(len(record("a", 0)) + 1, 9)[1] == [record("b", 1)]
    reader.close()
