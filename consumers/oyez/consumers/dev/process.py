"""A service's process: started, watched, ended, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from oyez.consumers.dev.errors import ServiceError

GUARD = Path(__file__).with_name("guard.py")
TAIL = 12  # lines of a log that are shown


class ServiceProcess:
    """A program that runs until it is ended, or until the process that started it ends.

    `name` is used in messages, `log` receives what the program prints, `folder` is its working directory,
    `orphaned` the signal that it gets when its parent dies, `user` the user's number it runs as (None: ours).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        folder: Path,
        orphaned: signal.Signals,
        user: int | None = None,
    ) -> None:
        self.name = name
        self._log = log
        self._folder = folder
        self._command = guarded(command, orphaned, user)
        self._started = threading.Event()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # The kernel ties a child to the thread that made it, so that thread stays as long as the child.
        self._keeper = threading.Thread(target=self._keep, name=f"oyez-dev-{name}", daemon=True)
        self._keeper.start()
        self._started.wait()

    def _keep(self) -> None:
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                    self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            self._started.set()
            self._process.wait()
        finally:
            self._ended.set()
            self._started.set()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise ServiceError(f"{self.name} could not be started: see {self._log}")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return not self._ended.is_set()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process still runs."""
        if self.alive and self._process is not None:
            self._process.send_signal(number)

    def end(self, *signals: signal.Signals, seconds: float) -> None:
        """Send each signal in turn, waiting this long for the process to end; SIGKILL is the last."""
        for number in (*signals, signal.SIGKILL):
            self.send(number)
            if self._ended.wait(seconds):
                return
        raise ServiceError(f"{self.name} (process {self.pid}) did not end within {seconds:g} s of SIGKILL")

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready()`; ServiceError with the end of the log if the process ends or time runs out."""
        limit = time.monotonic() + seconds
        while not ready():
            if self._ended.wait(0.02):
                raise ServiceError(f"{self.name} ended while starting\n{self.log_tail()}")
            if time.monotonic() > limit:
                raise ServiceError(f"{self.name} was not ready within {seconds:g} s\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines of the log."""
        return tail(self._log)


def guarded(command: Sequence[str | Path], orphaned: signal.Signals, user: int | None) -> list[str]:
    """The command that runs this command and ends it with this process."""
    who = "-" if user is None else str(user)
    start = [sys.executable, "-I", "-S", str(GUARD), str(int(orphaned)), str(os.getpid()), who]
    return [*start, *map(str, command)]


def finish(
    command: Sequence[str | Path],
    *,
    seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, at most this long (subprocess.TimeoutExpired), with what it printed."""
    return subprocess.run(  # noqa: S603 - the commands are ours
        list(map(str, command)),
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=folder,
        env=environment,
    )


def tail(log: Path) -> str:
    """The last lines of a log file, or that there are none."""
    if not log.exists():
        return f"(nothing in {log})"
    lines = log.read_text(errors="replace").splitlines()[-TAIL:]
    return "\n".join(f"  {line}" for line in lines) or f"(nothing in {log})"
