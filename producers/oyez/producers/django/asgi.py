"""For a project's `asgi.py`: what was announced arrives before the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from django.apps import apps

from ..announcer import Announcer
from ..closing import closed
from ..made_when_used import MadeWhenUsed
from .apps import OyezConfig

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]


def closing_at_the_end(application: Application) -> Application:
    """Django's ASGI application, with a lifespan: servers that end themselves by the signal which they got, as uvicorn
    does, run nothing at exit, and Django itself is not told that they stop. ::

        application = closing_at_the_end(get_asgi_application())
    """

    async def with_lifespan(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await application(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        config = cast("OyezConfig", apps.get_app_config(OyezConfig.label))
        await asyncio.to_thread(closed, cast("MadeWhenUsed[Announcer]", config.announcer))
        await send({"type": "lifespan.shutdown.complete"})

    return with_lifespan
