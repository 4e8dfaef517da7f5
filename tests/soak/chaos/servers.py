"""The listening servers of the chaos, each with a clock of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from support.processes import Program

GRACE = 30.0  # s, after which a supervisor kills its workers


class Servers:
    """`oyez listen` on several servers; the n-th has the n-th environment."""

    def __init__(self, folder: Path, settings: Sequence[Mapping[str, str]], workers: int) -> None:
        self._folder = folder
        self._settings = settings
        self._workers = workers
        self._started = 0
        self.running = [self._start(settings_of_one) for settings_of_one in settings]
        self._all = list(self.running)

    def workers(self) -> list[psutil.Process]:
        """All processes of all servers that handle events."""
        return [child for server in self.running for child in server.children()]

    def replace(self, number: int) -> None:
        """Kill a whole server and start it anew."""
        self.running[number].end()
        self.running[number] = self._start(self._settings[number])
        self._all.append(self.running[number])

    def stop(self) -> tuple[list[int], float]:
        """SIGTERM to all; their exit codes, and for how many seconds the last one took."""
        began = time.monotonic()
        for server in self.running:
            server.send(signal.SIGTERM)
        codes = [server.wait(2 * GRACE) for server in self.running]
        return codes, time.monotonic() - began

    def end(self) -> None:
        """SIGKILL to whatever lives."""
        for server in self._all:
            server.end()

    def said(self) -> str:
        """All that was logged."""
        return "\n".join(server.output() for server in self._all)

    def _start(self, settings: Mapping[str, str]) -> Program:
        self._started += 1
        log = self._folder / f"listen-{self._started}.log"
        return Program(
            log, "oyez.consumers.cli", "listen", "--workers", str(self._workers), env=dict(settings)
        )
