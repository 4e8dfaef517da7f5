"""A process that is killed leaves no service running, and its temporary folder to its successor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oyez.consumers.dev import folder
from oyez.consumers.dev.folder import ServiceFolder
from support.waiting import eventually

OWNER = """
import sys
from oyez.consumers.dev import {service}
with {service}() as service:
    print(service.pid, flush=True)
    sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("service", ["Kafka", "Postgres"])
def test_a_killed_owner_takes_its_service_with_it(service: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(service=service)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert is_running(pid)
    owner.kill()
    owner.communicate(timeout=30)
    eventually(lambda: not is_running(pid))


def test_an_abandoned_folder_is_removed_by_the_next_owner(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(folder, "YOUNG", -1.0)
    monkeypatch.setattr(folder.tempfile, "tempdir", str(tmp_path))
    abandoned = tmp_path / f"{folder.PREFIX}abandoned"
    abandoned.mkdir()
    (abandoned / folder.LOCK).touch()
    used = ServiceFolder(None)
    mine = ServiceFolder(None)
    assert not abandoned.exists()
    assert used.path.exists()
    used.close()
    mine.close()
    assert list(tmp_path.iterdir()) == []
