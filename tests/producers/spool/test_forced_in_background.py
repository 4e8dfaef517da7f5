"""What a thread could not force to disk is no secret: the next flush() says so."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from oyez.producers.spool import Writer
from producers.spool.appending import lines_of
from support.waiting import eventually

BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))


def test_flush_raises_what_the_thread_of_interval_could_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MOCK of `os.fsync`: a disk that breaks."""
    writer = Writer(tmp_path / "t", "t", interval=0.01)
    writer.append(b"{}")
    writer.flush()

    def broken(file: int) -> None:
        raise BROKEN

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        writer.append(b"{}")
        eventually(lambda: "could not be forced to disk" in caplog.text)
    with pytest.raises(OSError, match="Input/output error"):
        writer.flush()
    writer.flush()
    writer.append(b"{}")
    writer.flush()
    writer.close()
    assert len(lines_of(tmp_path)) == 3


def test_flush_raises_what_could_not_be_done_when_a_segment_was_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.fsync`, as above. What was refused is told to whoever appended it, what was there before by flush."""
    writer = Writer(tmp_path / "t", "t", interval=3600.0, segment_bytes=10)
    writer.append(b'{"a": 1}')

    def broken(file: int) -> None:
        raise BROKEN

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            writer.append(b'{"a": 2}')
    with pytest.raises(OSError, match="Input/output error"):
        writer.flush()
    writer.flush()
    writer.close()
