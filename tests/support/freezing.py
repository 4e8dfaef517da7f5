"""Freezing a broker, so that nothing of it answers any more."""

from __future__ import annotations

from pathlib import Path

import psutil

from oyez.consumers.dev import Kafka
from support.waiting import eventually


def freeze(broker: Kafka) -> None:
    """Stop it, and wait until it has: its threads stop one after another, and may still answer meanwhile."""
    broker.freeze()
    frozen = psutil.Process(broker.pid)
    tasks = Path(f"/proc/{broker.pid}/task")
    eventually(lambda: frozen.status() == psutil.STATUS_STOPPED)
    if tasks.exists():
        eventually(lambda: all(_state(task) == "T" for task in tasks.iterdir()))


def _state(task: Path) -> str:
    """How a thread stands; one that has ended does nothing any more."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "T"
