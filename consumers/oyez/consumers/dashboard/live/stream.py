"""What a viewer is sent: a word when something has changed, and a sign of life otherwise."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from anyio import sleep
from starlette.responses import Response, StreamingResponse

from .changes import Changes

DEBOUNCE = 0.25
"""Seconds in which further changes are told together with the first."""
HEARTBEAT = 15.0
"""Seconds without a change, after which something is sent all the same: so a lost connection is noticed."""
LIFE = 600.0
"""Seconds after which a stream ends. The browser asks again, and whether it may is asked anew."""
CHANGED = b"event: changed\ndata: \n\n"
ALIVE = b": \n\n"
HEADERS = {"X-Accel-Buffering": "no"}  # nginx would keep it back


async def stream(changes: Changes, timer: Callable[[], float] = time.monotonic) -> Response:
    """The answer to a viewer: 503 for one too many."""
    with changes.viewer() as has_room:
        if not has_room:
            return Response("too many viewers are told at once\n", 503, {"Retry-After": "30"}, "text/plain")
    return StreamingResponse(events(changes, timer), media_type="text/event-stream", headers=HEADERS)


async def events(changes: Changes, timer: Callable[[], float] = time.monotonic) -> AsyncIterator[bytes]:
    """Server-sent events, until the viewer has gone, or is let go."""
    with changes.viewer() as has_room:
        begun = said = timer()
        seen = await changes.mark()
        yield b"retry: 5000\n\n"
        while has_room and not changes.is_over and timer() - begun < LIFE:
            await sleep(changes.every)
            mark = await changes.mark()
            if mark != seen:
                await sleep(DEBOUNCE)
                seen = await changes.mark()
                said = timer()
                yield CHANGED
            elif timer() - said >= HEARTBEAT:
                said = timer()
                yield ALIVE
