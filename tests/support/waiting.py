"""Waiting for something to become true, with a limit, instead of sleeping."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def eventually(condition: Callable[[], Result], timeout: float = 60.0, every: float = 0.02) -> Result:
    """What `condition()` returns once it is true; AssertionError after `timeout` seconds."""
    limit = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > limit:
            name = getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"{name} was still {result!r} after {timeout:g} s")
        time.sleep(every)


async def soon(condition: Callable[[], Result], timeout: float = 60.0, every: float = 0.01) -> Result:
    """`eventually`, while the event loop goes on."""
    limit = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < limit, f"{condition} was still {result!r} after {timeout:g} s"
        await asyncio.sleep(every)
    return result
