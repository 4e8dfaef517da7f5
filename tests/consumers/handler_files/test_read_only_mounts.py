"""Event files that are mounted read-only, with modes that would let everybody write: a ConfigMap of Kubernetes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumers.cli.running import APPS
from consumers.handler_files.event_folder import Folder, mode
from support.mounts import can_mount, unshare

MOUNT = """
set -eu
mount --bind "$1" "$1"
mount -o remount,bind,"$2" "$1"
shift 2
exec "$@"
"""


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """The folder as Kubernetes makes it: links into a folder that is replaced as a whole, and modes of 0777."""
    folder = tmp_path / "events"
    data = folder / "..2026_11_29_12_00_00.1"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to(data.name)
    (data / "903.py").write_text("def handle(event): ...")
    (folder / "903.py").symlink_to("..data/903.py")
    for path in (data / "903.py", data, folder):
        path.chmod(0o777)
    return folder


def handlers(folder: Path, option: str) -> subprocess.CompletedProcess[str]:
    """`oyez handlers`, with the folder mounted so."""
    command = [*unshare(), "sh", "-c", MOUNT, "sh", str(folder), option]
    return subprocess.run(
        [*command, sys.executable, "-m", "oyez.consumers.cli", "handlers"],
        cwd=folder.parent,
        env={**os.environ, "OYEZ_APP": "shop:on", "OYEZ_EVENT_FILES": str(folder), "PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(
    not can_mount(), reason="needs root, or a kernel that lets users have namespaces: unshare"
)
def test_they_run_where_nobody_can_write(mounted: Path) -> None:
    done = handlers(mounted, "ro")
    assert done.returncode == 0, done.stderr
    assert "\t903.py\t" in done.stdout
    done = handlers(mounted, "rw")
    assert done.returncode == 2
    assert f"{mounted} may be written by everybody; run: chmod go-w" in done.stderr


class Mount:
    """MOCK of what a file system says of itself, for whoever cannot mount one."""

    def __init__(self, flags: int) -> None:
        self.f_flag = flags


@pytest.mark.parametrize("number", [0o777, 0o775, 0o1777])
def test_with_a_mock_of_the_mount(folder: Folder, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder.write("31.py")
    for asked in ("os.statvfs", "os.fstatvfs"):
        monkeypatch.setattr(asked, lambda _place: Mount(os.ST_RDONLY))
    with mode(folder.path, number), mode(file, number):
        assert folder.sound() == ["31.py"]


def test_whose_they_are_counts_there_too(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK of the mount: its owner may have it writable elsewhere."""
    owner = folder.write("31.py").stat().st_uid
    for asked in ("os.statvfs", "os.fstatvfs"):
        monkeypatch.setattr(asked, lambda _place: Mount(os.ST_RDONLY))
    monkeypatch.setattr("oyez.consumers.handler_files.permissions.ROOT", -1)
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(Exception, match=f"belongs to the user {owner}"):
        folder.load()
