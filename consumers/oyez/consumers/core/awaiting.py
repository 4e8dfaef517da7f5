"""Waiting for a coroutine in a function that is no coroutine itself: in a greenlet of SQLAlchemy's on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from .outcomes import TimedOut
from .stop_signals import Terminated


def awaited(function: Callable[..., Any], seconds: float | None) -> Callable[..., None]:
    """The ``async def`` as something that is called, and returns when it is done; to be called where `greenlet_spawn`
    has been. It has so many ``seconds``, or no limit; what it does not do in time is cancelled, and `TimedOut`."""

    def call(*given: Any, **named: Any) -> None:
        from sqlalchemy.util import await_only  # noqa: PLC0415 # whoever only registers handlers does not load it

        await_only(within(function(*given, **named), seconds))

    return call


async def within(work: Coroutine[Any, Any, object], seconds: float | None) -> None:
    """Await ``work`` for so many seconds. Raises `TimedOut` if it takes longer, and `Terminated` if the task was
    cancelled: that is nothing that ``work`` has done."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await work
    except TimeoutError as error:
        if limit.expired():
            raise TimedOut(seconds or 0.0) from error
        raise  # one of its own
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise Terminated from error
        raise
