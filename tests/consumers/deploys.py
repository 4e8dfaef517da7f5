"""One version of an application after another, over the same log and database."""

from __future__ import annotations

from typing import Any

from consumers.stage import Play, Stage
from oyez.consumers import Handlers
from oyez.consumers.logs.memory import MemoryGroup


def next_version(play: Play, before: Stage, on: Handlers, seconds: float = 1.0, **said: Any) -> Stage:
    """The application as it is deployed next, over the same log."""
    stage = play(on, **said)
    stage.clock = before.clock
    stage.clock.now += seconds
    stage.broker, stage.announcer, stage.logs = before.broker, before.announcer, before.logs
    stage.logs |= {name: log for name, log in _logs(stage).items() if name not in stage.logs}
    stage.workers = {name: stage.worker(name) for name in stage.application.groups}
    return stage


def _logs(stage: Stage) -> dict[str, MemoryGroup]:
    return {name: MemoryGroup(stage.broker, ["stage"]) for name in stage.application.groups}


def stopped(stage: Stage) -> Stage:
    """Its workers leave."""
    for worker in stage.workers.values():
        worker._log.close()
        worker._wakeups.close()
    stage.workers = {}
    return stage
