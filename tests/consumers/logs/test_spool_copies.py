"""Logs of the spool that change without being appended to: copied again, copied twice, unreadable."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from consumers.logs.test_reading_spool import Make, make, position
from consumers.pipeline import placed

__all__ = ["make"]


def copy_as_rsync_does(source: Path, target: Path) -> None:
    """Each file to a new one, which then takes its name."""
    target.mkdir(exist_ok=True)
    for file in source.iterdir():
        shutil.copy2(file, target / f".{file.name}.new")
        (target / f".{file.name}.new").replace(target / file.name)


def test_a_copy_that_is_replaced_by_a_newer_one_is_read_on(make: Make, tmp_path: Path) -> None:
    pipeline = make(segment_bytes=2_000)
    copy = make(root=tmp_path / "copies")
    (tmp_path / "copies").mkdir()
    done: list[int] = []
    for n in range(12):
        done += [2 * n, 2 * n + 1]
        pipeline.announce(*placed(done[-2:]))
        copy_as_rsync_does(pipeline.segments()[0].parent, tmp_path / "copies" / "c")
        copy.run()
        assert copy.effects() == done
    assert copy.is_clean()


def test_an_old_copy_beside_a_log_does_not_running_app_in_its_way(make: Make) -> None:
    pipeline = make()
    pipeline.handle(*placed([1, 2]))
    folder = pipeline.segments()[0].parent
    old = folder.parent / "a copy that sorts first"
    shutil.copytree(folder, old)
    pipeline.handle(*placed([3, 4]))
    assert pipeline.effects() == [1, 2, 3, 4]
    assert not any(pipeline.rows("position", "halted"))


@pytest.mark.parametrize("what", ["the newest segment", "its name and identity too"])
def test_a_log_that_cannot_be_read_waits_alone(make: Make, caplog: Any, what: str) -> None:
    """A link to itself stands for a file that only root may read, since the tests may be root."""
    pipeline = make()
    pipeline.announce(*placed([1]))
    other = pipeline.server("other")
    other.announce(*placed([100]))
    segment = pipeline.segments()[0]
    names = [segment] if what == "the newest segment" else [segment, segment.parent / "folder.json"]
    for name in names:
        name.rename(name.with_suffix(".kept"))
        name.symlink_to(name)
    for _ in range(3):
        pipeline.run()
    assert pipeline.effects() == [100]
    assert caplog.text.count("Too many levels of symbolic links") == 1
    for name in names:
        name.with_suffix(".kept").rename(name)
    pipeline.run()
    assert sorted(pipeline.effects()) == [1, 100]
    assert not any(pipeline.rows("position", "halted"))


def test_what_was_read_is_on_disk_before_its_position_is_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.fsync`, which notes how long the newest segment was, and what was handled then."""
    pipeline = make()
    synced: list[tuple[int, int]] = []
    real = os.fsync

    def noted(file: int) -> None:
        if Path(f"/proc/self/fd/{file}").readlink().suffix == ".ndjson":
            synced.append((os.fstat(file).st_size, position(pipeline)))
        real(file)

    pipeline.announce(*placed([1, 2]))
    monkeypatch.setattr(os, "fsync", noted)
    pipeline.run()
    end = pipeline.segments()[0].stat().st_size
    assert pipeline.effects() == [1, 2]
    assert (end, 0) in synced, "before the first position there was one"
    assert position(pipeline) == end
    count = len(synced)
    pipeline.run()
    assert len(synced) == count, "there was nothing new"
