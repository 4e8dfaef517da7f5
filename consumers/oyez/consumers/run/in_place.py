"""Running a group's deliveries where one is: its `async def` handlers on an event loop that lasts as long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from ..database.engine import Database
from ..execution.execution import Execution
from ..handlers.application import Group
from ..settings import ListenSettings
from .assembly import execution_for
from .engines import awaiting_engine_from
from .lanes import await_sleep

R = TypeVar("R")


def in_place(group: Group, engine: Engine, settings: ListenSettings, work: Callable[[Execution], R]) -> R:
    """What ``work`` does with the execution of a group, in this thread. Raises `DatabaseError` where the group's
    handlers need what is not installed."""
    if not group.awaited:
        return work(execution_for(group, Database(engine), settings))
    from sqlalchemy.util import greenlet_spawn  # noqa: PLC0415 # needs greenlet, which is an extra

    awaiting = awaiting_engine_from(settings)
    execution = execution_for(group, Database(awaiting, sleep=await_sleep), settings, sleep=await_sleep)

    def closing() -> R:
        try:
            return work(execution)
        finally:
            awaiting.dispose()

    return asyncio.run(greenlet_spawn(closing))
