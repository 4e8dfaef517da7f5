"""The listening servers of the chaos, each with a clock of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from support.clocks import WrongClock
from support.processes import ROOT, Program

AWAY = 5  # the exit code of `oyez listen` that says so
GRACE = 30.0  # s, after which a supervisor kills its workers


class Servers:
    """`oyez listen` on several servers; the n-th has the n-th clock."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str], clocks: Sequence[WrongClock], workers: int
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clocks = clocks
        self._workers = workers
        self._all: list[Program] = []
        self.running = [self._start(clock) for clock in clocks]

    def workers(self) -> list[psutil.Process]:
        """All processes of all servers that handle events."""
        return [child for server in self.running for child in server.children()]

    def replace(self, number: int) -> None:
        """Kill a whole server and start it anew."""
        self.running[number].end()
        self.running[number] = self._start(self._clocks[number])

    def tend(self) -> None:
        """Start anew those that have ended because a service was away when they started, as systemd does."""
        for number, server in enumerate(self.running):
            if server.code() == AWAY:
                self.running[number] = self._start(self._clocks[number])

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

    def _start(self, clock: WrongClock) -> Program:
        log = self._folder / f"listen-{len(self._all)}.log"
        env = {**self._settings, **clock.for_python(ROOT)}
        self._all.append(
            Program(log, "oyez.consumers.cli", "listen", "--workers", str(self._workers), env=env)
        )
        return self._all[-1]
