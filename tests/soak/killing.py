"""Workers and whole listening servers killed at seeded random moments, during one import."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from soak.figures import Figures, judged
from soak.traffic import SERVERS, Import, environment
from support.processes import is_alive
from visits import processes
from visits.checks import Findings
from visits.driver import Plan
from visits.processes import Child
from visits.progress import Progress

LISTENERS, WORKERS = 3, 2
WHOLE = 0.2  # of the kills hit a whole listening server


class Killer:
    """Kills as its dice say: so many, spread over so many seconds from the first look on."""

    def __init__(
        self, start: Callable[[], Child], kills: int, seconds: float, seed: int, tell: Callable[[str], None]
    ) -> None:
        self._dice = random.Random(seed)
        self._moments = sorted(self._dice.uniform(0, seconds) for _ in range(kills))
        self._start = start
        self._tell = tell
        self._began = 0.0
        self._told = 0.0
        self.listening = [start() for _ in range(LISTENERS)]
        self.killed = 0

    def watch(self, progress: Progress) -> None:
        """Kill what is due."""
        now = time.monotonic()
        self._began = self._began or now
        while self._moments and now - self._began >= self._moments[0] and self._kill():
            self._moments.pop(0)
        if now - self._told >= 10:
            self._told = now
            self._tell(f"killing: {self.killed} killed, {progress}")

    def _kill(self) -> bool:
        victim = self._dice.randrange(len(self.listening))
        workers = _workers(self.listening[victim])
        if not workers:
            return False
        if self._dice.random() < WHOLE:
            psutil.Process(self.listening[victim].pid).kill()
            self.listening[victim].end()
            self.listening.append(self._start())
            self.listening.pop(victim)
            self.killed += len(workers)
        else:
            workers = [self._dice.choice(workers)]
            self.killed += 1
        for worker in workers:
            if is_alive(worker):
                worker.kill()
        return True


def _workers(listening: Child) -> list[psutil.Process]:
    try:
        return [child for child in psutil.Process(listening.pid).children() if is_alive(child)]
    except psutil.NoSuchProcess:
        return []


def import_under_kills(
    url: str,
    kafka: str,
    folder: Path,
    *,
    views: int,
    kills: int,
    seconds: float,
    seed: int,
    options: str = "{}",
    timeout: float = 120.0,
    tell: Callable[[str], None],
) -> Figures:
    """`visits check` is clean, and no event is buried for having been near a kill. The announcing takes at least
    ``seconds``, over which the kills are spread."""
    traffic = Import(url, kafka, folder, views=views, seed=seed)
    began = time.monotonic()
    with processes.ended_together() as children, environment({"OYEZ_KAFKA_OPTIONS": options}):

        def start() -> Child:
            children.append(
                processes.listener(folder, f"listen-{len(children)}", WORKERS, traffic.environment)
            )
            return children[-1]

        plan = Plan(listeners=0, partitions=8, pause=seconds / views, timeout=timeout)
        traffic.migrate()
        killer = Killer(start, kills, seconds, seed, tell)
        outcome = traffic.execute(plan, killer.watch)
    values = {
        "seed": seed,
        "views": views,
        "servers": SERVERS,
        "killed": killer.killed,
        "handled": outcome.progress.handled,
        "ever parked": outcome.progress.ever_parked,
        "dead": outcome.progress.dead,
        "check": traffic.check(),
        "seconds": round(time.monotonic() - began, 1),
    }
    traffic.engine.dispose()
    return judged("killing", values, dead=0, check=str(Findings()))
