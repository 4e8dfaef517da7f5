"""An import whose broker is killed and frozen; its servers have spools, and wait for nobody."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException

from oyez.consumers.dev import Kafka
from soak.figures import Figures, judged
from soak.outages import outage
from soak.traffic import SERVERS, Import, environment
from support.waiting import eventually
from visits import processes
from visits.checks import Findings
from visits.driver import Driver, Plan, prepare
from visits.processes import Server
from visits.progress import Progress
from visits.work import Work, source_of

HASTE = {"OYEZ_ANNOUNCE_TIMEOUT": "1", "OYEZ_FLUSH_TIMEOUT": "60", "OYEZ_DURABILITY": "buffered"}


def spool_of(work: Work, number: int) -> Path:
    return work.folder / f"spool-{source_of(number)}"


class SpoolingDriver(Driver):
    """A driver whose servers have a spool each."""

    def _server(self, number: int) -> Server:
        own = {"OYEZ_SPOOL": str(spool_of(self._work, number).absolute())}
        return processes.server(
            self._work.folder, source_of(number), self._plan.pause, 0.0, self._environment | own
        )


class Outages:
    """Kills and freezes the broker in turn, at marks of what was announced, for as long as the servers need to spool so
    many bytes each."""

    def __init__(
        self, broker: Kafka, traffic: Import, marks: list[int], seed: int, tell: Callable[[str], None]
    ) -> None:
        self._broker, self._traffic, self._marks = broker, traffic, marks
        self._dice, self._tell = random.Random(seed), tell
        self.number = 0

    def watch(self, progress: Progress) -> None:
        if not self._marks or progress.announced < self._marks[0]:
            return
        self._marks.pop(0)
        begin, end = (
            (self._broker.freeze, self._broker.thaw) if self.number % 2 else (self._broker.kill, self._back)
        )
        self._tell(f"outage {self.number}: {begin.__name__}, {progress}")
        spools = [spool_of(self._traffic.work, number) for number in range(SERVERS)]
        outage(spools, begin, end, self._dice.randrange(1_000, 5_000))
        self._traffic.engine.dispose()
        self.number += 1

    def _back(self) -> None:
        self._broker.restart()
        eventually(self._is_there, 60, 0.1)

    def _is_there(self) -> bool:
        """A broker answers before its partitions have leaders."""
        try:
            return bool(self._traffic.topic.ends())
        except KafkaException:
            return False


@contextmanager
def shipper(traffic: Import) -> Iterator[None]:
    """`oyez spool ship`, for what servers leave that come to their end while the broker is away."""
    command = [sys.executable, "-m", "oyez.consumers.cli", "spool", "ship", str(traffic.work.folder)]
    with (traffic.work.folder / "ship.log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "--every", "0.5"], env=os.environ | traffic.environment, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            running.kill()
            running.wait()


def import_with_outages(
    broker: Kafka,
    url: str,
    folder: Path,
    *,
    views: int,
    outages: int,
    seconds: float,
    seed: int,
    tell: Callable[[str], None],
) -> Figures:
    """`visits check` is clean: everything has arrived, in order for each visit, and its effects are there once."""
    traffic = Import(url, broker.bootstrap, folder, views=views, seed=seed)
    marks = [views * (n + 1) // (outages + 2) for n in range(outages)]
    watcher = Outages(broker, traffic, marks, seed, tell)
    began = time.monotonic()
    plan = Plan(workers=2, partitions=8, pause=seconds / views, timeout=120.0)
    observer = prepare(traffic.run, plan, traffic.work, traffic.topic, traffic.engine)
    with environment(HASTE), shipper(traffic):
        outcome = SpoolingDriver(plan, traffic.run, traffic.work, traffic.engine, observer).execute(
            watcher.watch
        )
    values = {
        "seed": seed,
        "views": views,
        "outages": watcher.number,
        "handled": outcome.progress.handled,
        "ever parked": outcome.progress.ever_parked,
        "dead": outcome.progress.dead,
        "check": traffic.check(),
        "seconds": round(time.monotonic() - began, 1),
    }
    traffic.engine.dispose()
    return judged("visits-outages", values, dead=0, check=str(Findings()), outages=outages)
