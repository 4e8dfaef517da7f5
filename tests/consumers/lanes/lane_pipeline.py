"""Pipelines whose workers have lanes, and handlers that are seen at work in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from consumers.pipeline import Pipeline
from oyez.consumers import Handlers
from oyez.consumers.core.apart import ProcessKind
from oyez.consumers.handlers.application import Group
from oyez.consumers.lanes.event_loop import EventLoop
from oyez.consumers.lanes.lanes import WorkerLanes
from oyez.consumers.run.lanes import lanes_for

ANY_NUMBER = 10**9


class LanePipeline(Pipeline):
    """A pipeline whose concurrent handlers run in lanes, as far as they get whenever it runs."""

    def __init__(self, url: str, on: Handlers, **said: Any) -> None:
        super().__init__(url, on, database=url, **said)

    def lanes_of(self, group: Group, process: ProcessKind, loop: EventLoop) -> WorkerLanes | None:
        said = {"process": process, "timer": self.clock, "clock": self.clock}
        return lanes_for(group, self._settings, loop=loop, **said)

    def _round(self) -> None:
        self.clock.now += 0.1
        for worker in self.workers.values():
            while worker.step():
                pass
            worker.run_due(lambda: False, lambda: ANY_NUMBER)

    def close(self) -> None:
        for worker in self.workers.values():
            if worker._lanes is not None:
                worker._lanes.close()
        super().close()


class Seen:
    """Who is inside a handler at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: list[str] = []
        self.most = 0
        """How many were inside at once, at most."""
        self.clashes: list[str] = []
        """The keys of which two were."""

    @contextmanager
    def inside(self, key: str) -> Iterator[None]:
        with self._lock:
            if key in self._inside:
                self.clashes.append(key)
            self._inside.append(key)
            self.most = max(self.most, len(self._inside))
        try:
            yield
        finally:
            with self._lock:
                self._inside.remove(key)
