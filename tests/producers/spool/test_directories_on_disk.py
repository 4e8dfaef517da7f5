"""A directory that was made is on disk before anything in it counts: as a file, it is an entry of the one above it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from oyez.producers.spool import Folder, Writer, retire


def forced_by(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[Path]:
    """The directories that were forced to disk meanwhile, and the files that were removed, in this order."""
    seen: list[Path] = []
    fsync, unlink = os.fsync, Path.unlink

    def forced(file: int) -> None:
        path = Path("/proc/self/fd", str(file)).readlink()
        if path.is_dir():
            seen.append(path)
        fsync(file)

    def removed(path: Path, *given: bool, **named: bool) -> None:
        seen.append(path)
        unlink(path, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", forced)
        patched.setattr(Path, "unlink", removed)
        act()
    return seen


def test_a_new_folder_is_on_disk_with_all_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "var" / "spool" / "t"
    seen = forced_by(monkeypatch, lambda: Folder.create(folder, "t"))
    assert set(seen) == {folder, *folder.parents}
    assert seen[-1] == folder, "what says that the folder is complete comes last"
    assert forced_by(monkeypatch, lambda: Folder.create(folder, "t")) == []


def test_who_was_killed_before_it_was_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds the folder incomplete does it."""
    folder = tmp_path / "spool" / "t"
    folder.mkdir(parents=True)
    seen = forced_by(monkeypatch, lambda: Folder.create(folder, "t"))
    assert seen == [*reversed(folder.parents), folder], "also those that somebody else may have made"


def test_a_directory_that_may_not_be_read_is_left_to_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.open`: root may read all."""
    real = os.open

    def refused(path: str | Path, *given: int, **named: int) -> int:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *given, **named)

    monkeypatch.setattr(os, "open", refused)
    assert Folder.create(tmp_path / "spool" / "t", "t").topic == "t"


def test_the_archive_is_on_disk_before_a_segment_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path / "t", "t", segment_bytes=10)
    for n in range(2):
        writer.append(b'{"n": %d}' % n)
    writer.close()
    folder = Folder.open(tmp_path / "t")
    (first, _) = sorted(folder.path.glob("*.ndjson"))
    seen = forced_by(monkeypatch, lambda: retire(folder, 10**9, "archive"))
    assert seen == [folder.path / "archive", folder.path, first]
