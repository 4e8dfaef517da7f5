"""Writers whose folder, segment or lock is taken from them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oyez.producers import TransportRefused
from oyez.producers.spool import SpoolError, SpoolTransport, Writer
from oyez.producers.spool import writer as writer_module
from oyez.producers.spool_shipping.lock import FileLock
from producers.spool.appending import append_many, in_order, lines_of, record, segments


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("limit", [10**6, 10])
@pytest.mark.parametrize("gone", [removed, moved])
def test_a_folder_that_is_gone_is_made_again(
    tmp_path: Path, clock: Clock, gone: Callable[[Path], None], limit: int
) -> None:
    writer = Writer(tmp_path / "t", "t", clock=clock, segment_bytes=limit)
    other = Writer(tmp_path / "t", "t", clock=clock, segment_bytes=limit)
    append_many(writer, "a", 3)
    other.append(record("b", 0))
    gone(tmp_path / "t")
    clock.now += 2
    writer.append(record("a", 3))
    other.append(record("b", 1))
    assert in_order(lines_of(tmp_path / "t")) == {"a": [3], "b": [1]}
    if gone is moved:
        assert in_order(lines_of(tmp_path / "elsewhere")) == {"a": [0, 1, 2], "b": [0]}


@pytest.mark.parametrize("way", ["append_all", "append_unless", "end"])
def test_whatever_is_asked_first_of_it(tmp_path: Path, way: str) -> None:
    writer = Writer(tmp_path / "t", "t")
    append_many(writer, "a", 3)
    removed(tmp_path / "t")
    asked: dict[str, Callable[[], Any]] = {
        "append_all": lambda: writer.append_all([record("a", 3)]),
        "append_unless": lambda: writer.append_unless(lambda end: end > 0, record("a", 3)),
        "end": lambda: [writer.end(), writer.append(record("a", 3))],
    }
    asked[way]()
    assert in_order(lines_of(tmp_path / "t")) == {"a": [3]}


def test_positions_of_segments_that_were_removed_are_not_used_again(tmp_path: Path, clock: Clock) -> None:
    writer = Writer(tmp_path / "t", "t", clock=clock)
    append_many(writer, "a", 3)
    end = writer.end()
    for segment in segments(tmp_path / "t"):
        segment.unlink()
    clock.now += 2
    writer.append(record("a", 3))
    assert in_order(lines_of(tmp_path, end)) == {"a": [3]}


def test_closing_does_not_make_it_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))
    removed(tmp_path / "t")
    writer.close()
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("way", ["append", "held"])
def test_an_exception_of_a_signals_handler_does_not_leave_it_locked(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of a signal that comes when the lock has just been taken."""
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))

    def interrupted(file: int, what: int) -> None:
        fcntl.flock(file, what)
        if what == fcntl.LOCK_EX:
            raise KeyboardInterrupt

    monkeypatch.setattr(writer_module, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer.append(record("a", 1)) if way == "append" else writer.end()
    with FileLock(tmp_path / "t" / "append.lock").held_if_free() as is_ours:
        assert is_ours


def test_without_a_thread_for_the_sync_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of a system that has no more threads."""

    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    writer = Writer(tmp_path / "t", "t")
    monkeypatch.setattr(threading.Thread, "start", no_more)
    with pytest.raises(OSError, match="can't start new thread"):
        writer.append(record("a", 0))
    monkeypatch.undo()
    writer.append(record("a", 0))
    assert in_order(lines_of(tmp_path)) == {"a": [0]}


def test_flush_forces_to_disk_what_was_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.fsync`, which counts, and then fails."""
    transport = SpoolTransport(tmp_path, lambda path, topic: Writer(path, topic, interval=3_600.0))
    transport.send("t", None, record("a", 0))
    forced: list[int] = []
    monkeypatch.setattr(os, "fsync", forced.append)
    transport.flush(1.0)
    assert len(forced) == 1
    transport.flush(1.0)
    assert len(forced) == 1, "there was nothing new"
    transport.send("t", None, record("a", 1))

    def broken(file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(TransportRefused, match="Input/output error"):
        transport.flush(1.0)


@pytest.mark.parametrize("log_id", ["81eec4f2-ca9d-4f9c-8f3b-000000000000", 5, "x", "A" * 32])
def test_an_identity_that_no_segment_can_have_is_refused(tmp_path: Path, log_id: object) -> None:
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))
    identity = tmp_path / "t" / "folder.json"
    sound = json.loads(identity.read_text())
    identity.write_text(json.dumps({**sound, "log_id": log_id}))
    with pytest.raises(SpoolError, match="is damaged") as caught:
        Writer(tmp_path / "t", "t").append(record("a", 1))
    identity.write_text(str(caught.value).split("write this into it: ")[1])
    assert json.loads(identity.read_text()) == sound
    Writer(tmp_path / "t", "t").append(record("a", 1))
    assert in_order(lines_of(tmp_path)) == {"a": [0, 1]}


def test_the_folder_above_is_closed_to_others_too(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Writer(tmp_path / "spool" / "t", "t").append(record("a", 0))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
