"""How a worker of a group reads: batch by batch, or ahead of handlers that run in lanes in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..handlers.application import Group
from ..handlers.registry import Handler
from ..lanes.by_key import Ended
from ..lanes.calls import Calls
from ..lanes.event_loop import EventLoop
from ..lanes.in_memory import MemoryLanes, Pool
from ..lanes.tasks import Tasks
from ..settings import ListenSettings
from ..worker.reading_ahead import ReadingAhead
from ..worker.round import Reading


def has_memory_lanes(group: Group) -> bool:
    """Whether handlers of a group run in lanes in memory: it is at-least-once, and they take nothing of a database."""
    in_database = any(handler.uses_database for handler in group.handlers)
    return bool(group.concurrent) and not group.is_exact and not in_database


def reading_for(
    group: Group, settings: ListenSettings, given: EventLoop | None, timer: Callable[[], float]
) -> Callable[..., Reading]:
    """What makes the reading of a worker of this group. What is awaited runs on the loop that is ``given``, which ends
    later, with the lanes over the retry table; or on one of its own."""
    if not has_memory_lanes(group):
        return Reading
    loop = given or EventLoop(f"oyez-{group.name}")
    release = loop.close if given is None else _leave_open

    def pool(handler: Handler, ended: Ended) -> Pool:
        most = handler.concurrency or 1
        if handler.signature.is_async:
            return Tasks(handler, loop, ended, most)
        return Calls(handler, ended, most, timer)

    lanes = MemoryLanes(group, pool, in_flight=settings.in_flight, timer=timer, release=release)
    return partial(ReadingAhead, lanes, grace=settings.grace)


def _leave_open() -> None:
    """Whoever gave the loop still needs it."""
