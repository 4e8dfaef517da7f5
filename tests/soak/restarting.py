"""The broker and the database, each killed and started again, during one import."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException

from oyez.consumers.dev import Kafka, Postgres
from soak.figures import Figures, judged
from soak.traffic import Import
from support.waiting import eventually
from visits.checks import Findings
from visits.driver import Plan
from visits.progress import Progress


class Restarter:
    """Kills the broker and the database in turn, at marks of what was announced, and starts them again."""

    def __init__(
        self, broker: Kafka, server: Postgres, traffic: Import, marks: list[int], tell: Callable[[str], None]
    ) -> None:
        self._broker = broker
        self._server = server
        self._traffic = traffic
        self._marks = marks
        self._tell = tell
        self.restarts = {"Kafka": 0, "PostgreSQL": 0}

    def watch(self, progress: Progress) -> None:
        if not self._marks or progress.announced < self._marks[0]:
            return
        self._marks.pop(0)
        service = self._broker if sum(self.restarts.values()) % 2 else self._server
        name = type(service).__name__.replace("Postgres", "PostgreSQL")
        self._tell(f"restarting: {name}, {progress}")
        service.kill()
        service.restart()
        eventually(self._is_back, 60, 0.1)
        self._traffic.engine.dispose()
        self.restarts[name] += 1

    def _is_back(self) -> bool:
        """A broker answers before its partitions have leaders."""
        try:
            return bool(self._traffic.topic.ends())
        except KafkaException:
            return False


def import_under_restarts(
    broker: Kafka,
    server: Postgres,
    url: str,
    folder: Path,
    *,
    views: int,
    restarts: int,
    seconds: float,
    seed: int,
    tell: Callable[[str], None],
) -> Figures:
    """`visits check` is clean, nothing is dead, and no worker ended. ``restarts`` are of each service."""
    traffic = Import(url, broker.bootstrap, folder, views=views, seed=seed)
    marks = [views * (n + 1) // (2 * restarts + 1) for n in range(2 * restarts)]
    restarter = Restarter(broker, server, traffic, marks, tell)
    began = time.monotonic()
    plan = Plan(workers=2, partitions=8, pause=seconds / views, timeout=120.0)
    outcome = traffic.execute(plan, restarter.watch)
    said = (traffic.work.folder / "listen-0.log").read_text()
    values = {
        "seed": seed,
        "views": views,
        **{f"{name} killed": count for name, count in restarter.restarts.items()},
        "handled": outcome.progress.handled,
        "ever parked": outcome.progress.ever_parked,
        "dead": outcome.progress.dead,
        "workers that ended": said.count("ended with"),
        "check": traffic.check(),
        "seconds": round(time.monotonic() - began, 1),
    }
    traffic.engine.dispose()
    must = {"workers that ended": 0, "Kafka killed": restarts, "PostgreSQL killed": restarts}
    return judged("restarting", values, dead=0, check=str(Findings()), **must)
