"""Imports of generated views, while something is done to those who handle them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from oyez.consumers.database.migrating import upgrade
from oyez.producers import NotAnnounced
from support.services import unique
from visits import commands, database, server
from visits.driver import Driver, Outcome, Plan, Watch, prepare
from visits.generate import write_log
from visits.kafka import Topic
from visits.processes import Server
from visits.work import Run, Work, source_of

TESTS = Path(__file__).parents[1]
SERVERS = 3
PATIENT = {
    "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")])),
    "OYEZ_DELIVERY_TIMEOUT": "600",
    "OYEZ_FLUSH_TIMEOUT": "120",
}
"""What a server needs to be this module, and to outlive a broker that is away for a while."""


class Import:
    """One import, made ready."""

    def __init__(self, url: str, kafka: str, folder: Path, *, views: int, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "access.log"
        write_log(log, views=views, seed=seed, visitors=max(20, views // 100))
        self.run = Run(str(log), SERVERS, kafka, unique("visits"), url)
        self.topic = Topic(kafka, self.run.topic)
        self.work = Work(folder / "work")
        self.engine: Engine = database.opened(url)
        self.environment = {"OYEZ_KAFKA": kafka, "OYEZ_TOPIC": self.run.topic, "OYEZ_DATABASE": url}

    def migrate(self) -> None:
        """Make Oyez's tables, for workers that are started before the import."""
        upgrade(self.engine)

    def execute(self, plan: Plan, watch: Watch) -> Outcome:
        """Run it to its end; its servers wait for a broker that is away."""
        observer = prepare(self.run, plan, self.work, self.topic, self.engine)
        with environment(PATIENT):
            return PatientDriver(plan, self.run, self.work, self.engine, observer).execute(watch)

    def check(self) -> str:
        """What `visits check` says."""
        return str(commands.check(self.run, self.work, self.engine))


class PatientDriver(Driver):
    """A driver whose servers are this module."""

    def _server(self, number: int) -> Server:
        folder, source = self._work.folder, source_of(number)
        late = str(self._plan.delays.get(number, 0.0))
        command = [sys.executable, "-m", "soak.traffic", str(folder), source, str(self._plan.pause), late]
        named = {**self._environment, "OYEZ_SOURCE": source}
        return Server(source, command, folder / f"{source}.log", named)


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """These are set for the processes that are started in the block."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def patiently(announce: Callable[..., str]) -> Callable[..., str]:
    """An `announce` that waits while the broker is away: a web server would answer its visitor, and use a spool."""

    def until_taken(*given: object) -> str:
        while True:
            try:
                return announce(*given)
            except NotAnnounced:
                time.sleep(0.2)

    return until_taken


def main(arguments: list[str]) -> int:
    """A server of the import that is patient."""
    server.Announcer.announce = patiently(server.Announcer.announce)  # type: ignore[method-assign,assignment]
    return server.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
