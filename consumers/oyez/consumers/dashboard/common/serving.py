"""How each place of the dashboard is answered: who asks is asked first, and what goes wrong is a page."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar, cast

import anyio
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from .access import Access, Action, Asking
from .asked import Asked, Board
from .forms import form_of
from .page import Form, Page, Place, Stream
from .problems import problem_of
from .recent import Underway
from .rendering import Rendering

AT_ONCE = 4
"""Pages that are looked for at once; more wait for these. They have that many connections to the database."""
LOOK = 0.02
"""Seconds between two looks whether what another one asks is answered. Who waits for that is none of those."""

T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[Response]]


class Serving:
    """Answers requests for places."""

    def __init__(self, board: Board, asking: Asking, rendering: Rendering) -> None:
        self._board = board
        self._asking = asking
        self._rendering = rendering
        self._at_once = anyio.CapacityLimiter(AT_ONCE)

    def route(self, place: Place) -> BaseRoute:
        """The route to a place."""
        match place:
            case Page():
                return Route(
                    place.path, self._guarded(lambda asking: self._read(place, asking)), methods=["GET"]
                )
            case Form():
                return Route(
                    place.path, self._guarded(lambda asking: self._post(place, asking)), methods=["POST"]
                )
            case Stream():
                return Route(
                    place.path, self._guarded(lambda asking: self._stream(place, asking)), methods=["GET"]
                )

    async def not_found(self, request: Request, error: Exception) -> Response:
        """What is said of an address at which there is nothing, or that is asked in another way."""
        return self._refused(request.scope, cast("HTTPException", error))

    def refusal(self, scope: Scope, refused: HTTPException) -> Response:
        """The page for a request that is refused."""
        return self._refused(scope, refused)

    def _guarded(self, answer: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                return await answer(request)
            except HTTPException as refused:
                return self._refused(request.scope, refused)
            except Exception as error:  # noqa: BLE001 # the last place that can make a page of it
                problem = await self._in_thread(partial(problem_of, error, self._board.engine))
                headers = {"Retry-After": "5"} if problem.status == 503 else {}
                return self._problem(request.scope, problem.line, problem.status, headers)

        return guarded

    async def _read(self, page: Page, request: Request) -> Response:
        asked = Asked(self._board, request, await self._access(request))

        def written() -> Response:
            said = page.question(asked)
            if isinstance(said, Response):
                return said
            return self._rendering.page(asked, page.template, page.title, said, is_live=page.is_live)

        while True:
            try:
                return await self._in_thread(written)
            except Underway as found:
                asked_by_another = found.question
            while not asked_by_another.is_over:
                await anyio.sleep(LOOK)

    async def _post(self, form: Form, request: Request) -> Response:
        access = await self._access(request)
        _require(access, form.action)
        asked = Asked(self._board, request, access, await form_of(request))

        def done() -> Response:
            said = form.post(asked)
            if isinstance(said, Response):
                return said
            return self._rendering.page(asked, form.template, form.title, said, is_live=False)

        return await self._in_thread(done)

    async def _stream(self, stream: Stream, request: Request) -> Response:
        return await stream.answer(Asked(self._board, request, await self._access(request)))

    async def _access(self, request: Request) -> Access:
        """What whoever asks may do. HTTPException: not read."""
        if inspect.iscoroutinefunction(self._asking):
            access = await self._asking(request)
        else:
            access = await run_sync(self._asking, request)
            if inspect.isawaitable(access):  # of something that is called like a function, and is none
                access = await access
        if not access.reads:
            raise HTTPException(403, "you may not read this dashboard: access= says who may")
        return cast("Access", access)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await run_sync(work, limiter=self._at_once)

    def _refused(self, scope: Scope, refused: HTTPException) -> Response:
        return self._problem(scope, refused.detail, refused.status_code, refused.headers or {})

    def _problem(self, scope: Scope, line: str, status: int, headers: Mapping[str, str]) -> Response:
        return self._rendering.problem(scope.get("root_path", ""), line, status, headers)


def _require(access: Access, action: Action | None) -> None:
    """HTTPException: they may not do this; or nothing at all, where any action will do."""
    if action not in access.actions and (action is not None or not access.actions):
        what = action or "do anything"
        raise HTTPException(403, f"you may read this dashboard, but not {what}; nothing was done")
