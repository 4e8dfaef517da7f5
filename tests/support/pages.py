"""What the pages of docs show, run as it is written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from support.waiting import eventually

ROOT = Path(__file__).parents[2]


def block(page: Path, name: str) -> str:
    """What stands in the block of this name."""
    found = re.search(rf"<!-- run: {re.escape(name)} -->\n```\w+\n(.*?)```", page.read_text(), re.DOTALL)
    assert found, f"{page.name} has no block named {name}"
    return found[1]


def written(page: Path, folder: Path, *names: str) -> None:
    """The page's files, in a folder."""
    for name in names:
        (folder / name).write_text(block(page, name))


def run_tests(page: Path, folder: Path, *names: str) -> None:
    """The page's files, and its tests among them, which are run by the command that it says."""
    written(page, folder, *names)
    run_commands(block(page, "tests"), folder)


def run_commands(commands: str, folder: Path) -> str:
    """Commands as a reader types them, to their end; what they print."""
    done = subprocess.run(
        ["sh", "-ec", commands],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def plain_environment(**more: str) -> dict[str, str]:
    """This process's, with its own Python first and no settings of Oyez's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def shell(commands: str, folder: Path, environment: Mapping[str, str] = {}) -> Iterator[Path]:  # read only
    """Commands as a reader types them, in the background. At the end the last one, which replaces the shell, gets
    SIGTERM, then whatever else still runs; all have to end. What they say is in the file that is given."""
    log = folder / "log"
    with log.open("w") as said:
        running = subprocess.Popen(
            ["sh", "-ec", commands],
            cwd=folder,
            env={**plain_environment(), **environment},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield log
        running.send_signal(signal.SIGTERM)
        running.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
        eventually(lambda: not group_lives(running.pid))
    except BaseException:
        print(log.read_text()[-4000:])
        raise
    finally:
        if group_lives(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def group_lives(number: int) -> bool:
    """Whether a process of this group is there."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True
