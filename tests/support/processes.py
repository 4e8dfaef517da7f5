"""Python modules as processes of their own, which never outlive their test."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


class Program:
    """A module that runs as a process; what it prints is kept in `log`."""

    def __init__(self, log: Path, module: str, *arguments: str, env: Mapping[str, str]) -> None:
        self._log = log
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=log.parent,
                env={**os.environ, **env, "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        """The processes that it forked and that live."""
        try:
            return [child for child in psutil.Process(self.pid).children() if is_alive(child)]
        except psutil.NoSuchProcess:
            return []

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def freeze(self) -> None:
        """Let it do nothing more; it can only be killed."""
        self.send(signal.SIGSTOP)

    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._process.poll()

    def wait(self, timeout: float = 60.0) -> int:
        """Its exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self._log.name} did not end within {timeout:g} s\n{self.output()}"
            ) from None

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def end(self) -> None:
        """SIGKILL, to its children too."""
        children = self.children()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)
        for child in children:
            with suppress(psutil.NoSuchProcess):  # it ends when it sees that its parent has
                child.kill()


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
