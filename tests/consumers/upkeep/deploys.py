"""One version of an application after another, over the same log and database."""

from __future__ import annotations

from typing import Any

from consumers.pipeline import Pipeline, Play
from oyez.consumers import Handlers
from oyez.consumers.logs.memory import MemoryGroup


def next_version(play: Play, before: Pipeline, on: Handlers, seconds: float = 1.0, **said: Any) -> Pipeline:
    """The application as it is deployed next, over the same log."""
    pipeline = play(on, **said)
    pipeline.clock = before.clock
    pipeline.clock.now += seconds
    pipeline.broker, pipeline.announcer, pipeline.logs = before.broker, before.announcer, before.logs
    pipeline.logs |= {name: log for name, log in _logs(pipeline).items() if name not in pipeline.logs}
    pipeline.workers = {name: pipeline.worker(name) for name in pipeline.application.groups}
    return pipeline


def _logs(pipeline: Pipeline) -> dict[str, MemoryGroup]:
    return {name: MemoryGroup(pipeline.broker, ["pipeline"]) for name in pipeline.application.groups}


def stopped(pipeline: Pipeline) -> Pipeline:
    """Its workers leave."""
    for worker in pipeline.workers.values():
        worker._log.close()
        worker._wakeups.close()
    pipeline.workers = {}
    return pipeline
