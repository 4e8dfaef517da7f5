"""`oyez collect --try`: what would become of events is said, and nothing is stored."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..announcer import Stamped
from .answers import Result

SHOWN = 1000
"""Events of each kind that are shown, the last ones."""


class Trial:
    """A store that keeps nothing, and shows what has come."""

    def __init__(self) -> None:
        self._good: deque[Any] = deque(maxlen=SHOWN)
        self._bad: deque[Any] = deque(maxlen=SHOWN)

    async def keep(self, events: Sequence[Stamped]) -> Sequence[str | None]:
        self._good.extend(json.loads(value) for _id, _topic, _key, value in events)
        return [None] * len(events)

    def begin(self) -> None:
        """Nothing was left."""

    async def aclose(self) -> None:
        """Nothing is held."""

    def note(self, results: Sequence[Result]) -> None:
        """Keep those that would not be stored."""
        bad = [one for one in results if one.result == "invalid"]
        self._bad.extend({"id": one.id, "detail": one.detail} for one in bad)

    def routes(self) -> list[Route]:
        """Where it is shown."""
        return [
            Route("/good", self._show_good, methods=["GET"]),
            Route("/bad", self._show_bad, methods=["GET"]),
            Route("/reset", self._reset, methods=["POST"]),
        ]

    async def _show_good(self, _request: Request) -> Response:
        return JSONResponse(list(self._good))

    async def _show_bad(self, _request: Request) -> Response:
        return JSONResponse(list(self._bad))

    async def _reset(self, _request: Request) -> Response:
        self._good.clear()
        self._bad.clear()
        return Response(status_code=204)
