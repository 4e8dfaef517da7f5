"""Heartbeats where the disk is full, or where somebody clears the folder: no work ends of it, and none is believed well
that says nothing."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from oyez.consumers.health.beat import Beat, read
from oyez.consumers.health.folder import MAIN
from oyez.consumers.health.judging import problems_in
from oyez.consumers.health.keeping import kept
from oyez.consumers.health.writing import File
from oyez.consumers.instrumentation.events import WorkerDied
from oyez.consumers.processes.spec import ProcessSpec
from oyez.producers import SettingsError

LIMIT = 120.0
BEAT = Beat("w[0]", 1, 2, LIMIT, 3.0, 3.0, 3.0, "working", 1.0)
SPECS = [ProcessSpec("w[0]", "w", lambda _: None)]


def test_a_folder_that_was_cleared_is_made_again(tmp_path: Path) -> None:
    with kept(tmp_path / "health", LIMIT) as keeper:
        (spec,) = keeper.beating(SPECS)
        shutil.rmtree(tmp_path / "health")
        keeper.turn()
        keeper.receive(WorkerDied("w", "w[0]", "signal SIGKILL", 0.5))
        (problem,) = problems_in(str(keeper.folder), 0.0)
        assert problem.reason == "it ended with signal SIGKILL; it is started again in 0.5 s"
        shutil.rmtree(tmp_path / "health")
        spec.work(lambda: True)
        assert read(str(keeper.folder / "0")) is not None


def test_a_beat_goes_on_in_a_folder_that_was_cleared(tmp_path: Path) -> None:
    home = tmp_path / "health"
    file = File(str(home / "1-2" / "0"))
    for _ in range(2):
        assert file.write(BEAT) == ""
        assert read(file.path) == BEAT
        shutil.rmtree(home)
    home.mkdir()
    home.chmod(0o777)
    assert "others may write to it" in file.write(BEAT)
    assert not list(home.iterdir())
    file.close()


def test_a_link_in_the_place_of_a_beat_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "1-2").mkdir(mode=0o700)
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "1-2" / "0").symlink_to(tmp_path / "precious")
    assert File(str(tmp_path / "1-2" / "0")).write(BEAT)
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_folder_without_room_is_refused_when_a_command_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is a mock that has no room for one page."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    refusal = pytest.raises(SettingsError, match="cannot have heartbeats: No space left on device")
    with refusal, kept(tmp_path / "health", LIMIT):
        pass
    assert not list((tmp_path / "health").iterdir())


def test_a_worker_that_says_nothing_is_not_well(tmp_path: Path) -> None:
    with kept(tmp_path / "health", LIMIT) as keeper:
        (keeper.folder / "0").touch()
        found = [str(one) for one in problems_in(str(keeper.folder), 0.0)]
        assert found == ["worker 0: it has no heartbeat", "main: it starts (wait a moment)"]
        (keeper.folder / MAIN).write_bytes(b"")
        assert [one.name for one in problems_in(str(keeper.folder), 0.0)] == [MAIN, "worker 0"]
