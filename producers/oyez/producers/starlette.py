"""For Starlette: announcers that live as long as the application, and how an endpoint gets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from oyez.schemas import OyezError

from .announcer import Announcer
from .async_announcer import AsyncAnnouncer
from .closing import closed, log
from .errors import SettingsError
from .made_when_used import MadeWhenUsed
from .settings import Settings
from .tracing import send_spans
from .web.keys import KeyOf, Request

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

App = TypeVar("App")
Lifespan = Callable[[App], AbstractAsyncContextManager[Mapping[str, Any] | None]]

STATE = "oyez"
"""What the announcers are called in the state of an application's lifespan."""


def in_session(name: str) -> KeyOf:
    """The key is what Starlette's signed session has under this name. SettingsError, in a request: its
    `SessionMiddleware` is not around Oyez's."""

    def read(request: Request) -> Any:
        try:
            session = request["session"]
        except KeyError:
            raise SettingsError(
                f"in_session({name!r}): no session is there: Starlette's SessionMiddleware must be around Oyez's, so "
                "it comes before it in middleware=[…], or is added after it by add_middleware()"
            ) from None
        return session.get(name)

    return read


class Announcers:
    """The announcers of an application: one for its event loop, and one for what runs in threads, when that is used."""

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        self.in_loop = AsyncAnnouncer.from_settings(settings, **options)
        self.in_threads = MadeWhenUsed(lambda: Announcer.from_settings(settings, **options))

    async def aclose(self) -> None:
        """Let what was announced arrive. What did not is logged, as at exit."""
        try:
            await self.in_loop.aclose()
        except OyezError as error:
            log.error("at the end: %s", error)
        await asyncio.to_thread(closed, self.in_threads)


def announcing(
    own: Lifespan[App] | None = None, /, settings: Settings | None = None, **options: Any
) -> Callable[[App], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """A lifespan for `Starlette(lifespan=…)` or `FastAPI(lifespan=…)`: it makes the announcers, and lets everything
    arrive when the server stops. `own` is the application's, which begins after it and ends before it; what that yields
    is in the state too. `settings` and `options` as for `AsyncAnnouncer.from_settings`.
    """

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[Mapping[str, Any]]:
        announcers = Announcers(settings or Settings(), options)
        try:
            if own is None:
                yield {STATE: announcers}
            else:
                async with own(app) as state:
                    yield {**(state or {}), STATE: announcers}
        finally:
            await announcers.aclose()
            await asyncio.to_thread(send_spans)

    return lifespan


def announcer_of(connection: HTTPConnection) -> AsyncAnnouncer:
    """The announcer for an `async def` endpoint, by its request or WebSocket. SettingsError: the application has no
    such lifespan, or nobody has run it."""
    return _announcers(connection).in_loop


def announcer_in_threads(connection: HTTPConnection) -> Announcer:
    """The announcer for a `def` endpoint, which runs in a thread. SettingsError: as above."""
    return _announcers(connection).in_threads()


def _announcers(connection: HTTPConnection) -> Announcers:
    found = connection.scope.get("state", {}).get(STATE)
    if not isinstance(found, Announcers):
        raise SettingsError(
            "no announcer is there: make the application with lifespan=announcing(), and let that run: a test needs "
            "`with TestClient(app)`; httpx.ASGITransport alone does not run it"
        )
    return found
