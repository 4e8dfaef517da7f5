"""The command line on bad input: one line, and the status that says what kind of trouble it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import visits

EXAMPLES = Path(visits.__file__).parent.parent
NOBODY = "127.0.0.1:1"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m visits` in a folder of its own."""
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES), "NO_COLOR": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("OYEZ_")}
    command = [sys.executable, "-m", "visits", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["import", "absent.log"], 4, "no such log"),
        (["import", "not.log"], 1, "not an access log in combined format"),
        (["import", "small.log", "--kafka", NOBODY], 5, f"no Kafka answers at {NOBODY}"),
        (["import", "small.log", "--database", "nonsense"], 1, "cannot be read"),
        (["import", "small.log", "--database", "mysql://localhost/x"], 1, "mysql"),
        (["check"], 4, "no import in visits-run"),
        (["report", "--work", "elsewhere"], 4, "no import in elsewhere"),
        (["report", "--database", "sqlite:///absent.db"], 4, "no import in sqlite:///absent.db"),
        (["export", "--database", "postgresql+psycopg://u:pw@127.0.0.1:1/x"], 5, "database postgresql"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, small_log: Path, arguments: list[str], status: int, message: str
) -> None:
    (tmp_path / "not.log").write_text("this\nis\nprose\n")
    done = run(small_log.parent, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "pw@" not in done.stderr
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "small.log", "--servers", "0"], "--servers"),
        (["import", "small.log", "--delay", "one"], "SERVER:SECONDS"),
        (["import", "small.log", "--delay", "3:1"], "the servers are 0 to 2"),
        (["import"], "LOG"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_use_is_status_2(tmp_path: Path, small_log: Path, arguments: list[str], message: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
