"""Tasks that are published while the worker that runs them is killed with all its processes, and restarted.

Single processes of the pool are not killed: with a broker in files they share a lock, which a dead one keeps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from celery import Celery

from integration.rows.running_app import RunningApp
from oyez.producers import visitor_session
from oyez.producers.celery import Oyez
from producers.tasks.files import BROKER, queue_in
from support.processes import Program
from support.waiting import eventually

AHEAD = 50
"""Tasks that may wait in the queue: this broker looks through all of them for each."""
SESSION = "celery"
PROCESSES = 3


class Work:
    """A queue, a worker of it, and what its tasks have noted."""

    def __init__(self, app: RunningApp) -> None:
        self._app = app
        self._queue = app.folder / "queue"
        self._notes = app.folder / "tasks.txt"
        self._queue.mkdir()
        self._notes.touch()
        self._celery = Celery("soak", broker=BROKER)
        self._celery.conf.broker_transport_options = queue_in(str(self._queue))
        self._oyez = Oyez()
        self._begun = 0
        self.killed = 0
        """Processes that may have had a task that was announced, and not noted."""

    def noted(self) -> list[tuple[str, int]]:
        """What was announced, by the session and its number."""
        return [(SESSION, int(line)) for line in self._notes.read_text().split()]

    def run(self, tasks: int, troubles: int, chance: random.Random) -> None:
        """Publish so many, and wait until none is left in the queue. What a killed worker had taken is not run."""
        worker = self._start()
        published = iter(self._published(tasks))
        try:
            for turn in range(troubles):
                self._publish_to((turn + 1) * tasks // (troubles + 1), published)
                if chance.random() < 0.5:
                    worker.end()
                    self.killed += PROCESSES
                else:
                    worker.stop()
                worker = self._start()
            self._publish_to(tasks, published)
            eventually(lambda: self._queued() == 0, timeout=300.0)
            worker.stop()
        finally:
            worker.end()

    def _start(self) -> Program:
        self._begun += 1
        log = self._app.folder / f"celery-{self._begun}.log"
        env = {**self._app.env, "SOAK_QUEUE": str(self._queue), "SOAK_NOTES": str(self._notes)}
        said = ("-A", "soak.serving.tasks", "worker", "--concurrency", str(PROCESSES))
        program = Program(log, "celery", *said, "--max-tasks-per-child", "200", env=env)
        eventually(lambda: len(program.children()) == PROCESSES)
        return program

    def _published(self, tasks: int) -> Iterator[int]:
        for n in range(tasks):
            with visitor_session(SESSION):
                self._celery.send_task("place", [n])
            yield n

    def _publish_to(self, count: int, published: Iterator[int]) -> None:
        """Publish up to this number, with few of them in the queue at once."""
        for n in published:
            eventually(lambda: self._queued() < AHEAD, timeout=120.0)
            if n + 1 >= count:
                return

    def _queued(self) -> int:
        return len(list(self._queue.glob("*.msg")))
