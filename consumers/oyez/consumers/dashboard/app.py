"""The dashboard as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from ..handlers.application import Application
from ..handlers.registry import Handlers
from ..run.engines import engine_from
from ..settings import ListenSettings
from .common.access import Asking, closed
from .common.asked import Board
from .common.guard import Guard
from .common.operating import AT_ONCE as OPERATIONS
from .common.page import Page
from .common.rendering import Rendering
from .common.serving import AT_ONCE, Serving
from .common.static import static
from .listing import PLACES

POOL = {"pool_size": 1, "max_overflow": AT_ONCE + OPERATIONS, "pool_timeout": 5.0}
"""More than pages at once: for what is done to many deliveries, and for the look whether something has changed."""


def dashboard(
    application: Handlers | Application,
    *,
    access: Asking = closed,
    settings: ListenSettings | None = None,
    hosts: Collection[str] | None = None,
) -> Starlette:
    """The dashboard of an application, to be mounted in another one or served by itself.

    ``access`` is called with each request (a Starlette `Request`) and says what whoever sent it may do: an `Access`. It
    may be an ``async def``; a plain one is called in a thread. Nobody may do anything unless it is given. ``settings``
    are those of the environment unless given. ``hosts`` are the names (without a port) by which the dashboard is asked
    for; None: any, where the application around it sees to that.

    Enter its lifespan (``.router.lifespan_context``) with that of the application around it, which tells it when the
    server ends: mounting alone does not.

    Raises `SettingsError` and `DatabaseError` for settings that cannot be used; nothing is asked of the database yet.
    """
    said = settings or ListenSettings()
    found = application if isinstance(application, Application) else Application(application)
    return served_board(Board(found, said, engine_from(said, pool=POOL)), access, hosts)


def served_board(
    board: Board, access: Asking, hosts: Collection[str] | None, clock: Callable[[], float] = time.time
) -> Starlette:
    """The same for what a dashboard is of; ``clock`` is the one by which pages say how long ago something was."""
    operating = board.operating  # one, made before threads ask for it
    serving = Serving(board, access, Rendering([place for place in PLACES if isinstance(place, Page)], clock))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        operating.ended_by_host()
        try:
            yield
        finally:
            board.changes.end()
            operating.end()
            board.engine.dispose()

    app = Starlette(
        routes=[*map(serving.route, PLACES), Route("/static/{version}/{name}", static, methods=["GET"])],
        middleware=[Middleware(Guard, hosts=hosts, refusal=serving.refusal)],
        exception_handlers={HTTPException: serving.not_found},
        lifespan=lifespan,
    )
    app.state.board = board
    return app
