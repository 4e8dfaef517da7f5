"""`oyez` as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consumers.cli.warm import warm
from support.unprivileged import modes_count

APPS = Path(__file__).parent / "apps"
OYEZ = str(Path(sys.executable).with_name("oyez"))
OURS = ("OYEZ_", "SHOP_")
"""What these settings begin with, the interpreter itself does not read."""
MODES = "support.unprivileged:modes_count"


@dataclass(frozen=True)
class Shop:
    """The application apps/shop.py, with its services, run in a folder of its own."""

    folder: Path
    settings: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
        return {**kept, "PYTHONPATH": str(APPS), "PYTHONUNBUFFERED": "1", **self.settings}

    def run(
        self,
        *arguments: str,
        given: str | bytes = "",
        before: Callable[[], None] | None = None,
        **settings: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; ``before`` is what its process does before it becomes the command.

        It is a fork of a process that has imported the commands, unless something counts that only a new one heeds:
        `modes_count` is heeded by both.
        """
        env = {**self.environment(), **settings}
        said = given.encode() if isinstance(given, str) else given
        is_ours = all(name.startswith(OURS) for name in {**self.settings, **settings})
        done = (
            warm().run(arguments, self.folder, env, said, MODES if before is modes_count else None)
            if is_ours and before in (None, modes_count)
            else subprocess.run(
                [OYEZ, *arguments],
                cwd=self.folder,
                env=env,
                input=said,
                capture_output=True,
                preexec_fn=before,  # one that only makes a system call
                timeout=120,
                check=False,
            )
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def print(self, *arguments: str, given: str = "") -> str:
        """What a command prints; it has to exit with 0."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def running(self, *arguments: str, before: Callable[[], None] | None = None) -> Iterator["Running"]:
        """A command in the background; killed at the end if it still runs."""
        log = self.folder / "running.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [OYEZ, *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdout=out,
                stderr=out,
                preexec_fn=before,  # noqa: PLW1509 # one that only makes a system call
            )
        try:
            yield Running(process, log)
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Running:
    """A command in the background."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(40)


def one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Assert that a command failed with `code` and one clear line that has these words in it."""
    lines = [line for line in done.stderr.splitlines() if line != "imported"]
    assert done.returncode == code, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("oyez: ")
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
