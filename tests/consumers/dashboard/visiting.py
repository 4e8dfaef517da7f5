"""Somebody who looks at the dashboard of an application, and sends its forms as a browser does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from consumers.pipeline import TOPIC, Pipeline
from oyez.consumers import Application, ListenSettings
from oyez.consumers.dashboard import Access, dashboard
from oyez.consumers.dashboard.app import POOL, served_board
from oyez.consumers.dashboard.common.access import Asking, anybody
from oyez.consumers.dashboard.common.asked import Board
from oyez.consumers.dashboard.common.forms import TYPE
from oyez.consumers.run.engines import engine_from

HOST = "127.0.0.1:8090"
SENT = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{HOST}"}


class Visitor:
    """A browser, as far as requests go. (Starlette's test client wants another package.)"""

    def __init__(self, app: ASGIApp) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}")
        self._runner = asyncio.Runner()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.post(path, **more))

    def page(self, path: str) -> str:
        """What a page says."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        return response.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, as a browser does."""
        return self.post(path, content=urlencode(fields), headers={**SENT, "Content-Type": TYPE})

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def app_of(
    pipeline: Pipeline, access: Access | Asking, hosts: Collection[str] | None = None, **said: Any
) -> ASGIApp:
    """The dashboard of what a pipeline runs, in its time. ``said`` are other settings."""
    settings = settings_at(pipeline.engine.url.render_as_string(hide_password=False), **said)
    clock = pipeline.clock
    board = Board(
        pipeline.application, settings, engine_from(settings, pool=POOL), clock=lambda _db: clock.now
    )
    return served_board(board, asking(access), hosts, lambda: clock.now)


def app_at(url: str, application: Application, access: Access | Asking, **said: Any) -> ASGIApp:
    """The dashboard of an application whose database is there."""
    return dashboard(application, access=asking(access), settings=settings_at(url), **said)


def settings_at(url: str, **said: Any) -> ListenSettings:
    return ListenSettings(**({"database": url, "topic": TOPIC, "transport": "memory"} | said))


def asking(access: Access | Asking) -> Asking:
    return anybody(access) if isinstance(access, Access) else access


def visitor(pipeline: Pipeline, access: Access | Asking, **said: Any) -> Visitor:
    """Whoever may do this, at the dashboard of a pipeline."""
    return Visitor(app_of(pipeline, access, **said))


def problem(response: httpx.Response, status: int, *words: str) -> None:
    """Check that it is a page of one line, which says this."""
    assert response.status_code == status, response.text
    (line,) = [line for line in response.text.splitlines() if 'class="problem"' in line]
    for word in words:
        assert word in line
    assert "Traceback" not in response.text
