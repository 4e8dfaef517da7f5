"""The site as an ASGI application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from visits import database
from visits.errors import VisitsError
from visits.site.figures import SiteReport, site_report
from visits.site.texts import TEXTS

HERE = Path(__file__).parent
WITHIN = "/collector"
"""Where a collector within the site answers."""
KEY = "lighthouses"
"""The site key: it stands in the pages, and is no secret."""


class Pages:
    """What visitors are shown. `collector`: where the pages find it; `engine`: what the report is about."""

    def __init__(self, engine: Engine, collector: str) -> None:
        self._engine = engine
        self._collector = collector
        self._templates = Jinja2Templates(HERE / "templates")
        self._headers = {"Content-Security-Policy": _policy(collector), "Referrer-Policy": "same-origin"}

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.home),
            Route("/report", self.report),
            Route("/report.json", self.report_json),
            Route("/{name}", self.text),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    async def home(self, request: Request) -> Response:
        return self._shown(request, "home.html", texts=TEXTS)

    async def text(self, request: Request) -> Response:
        """One of the texts; 404: there is none such."""
        text = TEXTS.get(request.path_params["name"])
        if text is None:
            raise HTTPException(404, "there is no such page; the first is at /\n")
        return self._shown(request, "text.html", text=text)

    async def report(self, request: Request) -> Response:
        return self._shown(request, "report.html", report=await run_in_threadpool(self._report))

    async def report_json(self, _request: Request) -> Response:
        return JSONResponse(asdict(await run_in_threadpool(self._report)))

    def _report(self) -> SiteReport:
        with database.connected(self._engine) as db:
            return site_report(db)

    def _shown(self, request: Request, template: str, **what: object) -> Response:
        without_scripts = quote(json.dumps({"url": request.url.path}))
        known = {"collector": self._collector, "site": KEY, "without_scripts": without_scripts}
        return self._templates.TemplateResponse(request, template, {**known, **what}, headers=self._headers)


def site(engine: Engine, collector: str | Starlette) -> Starlette:
    """The site, with a collector within, or beside at an address."""
    if isinstance(collector, str):
        return _application(Pages(engine, collector.rstrip("/")).routes())
    within = collector

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        """What is mounted is told by nobody that the server begins and ends."""
        async with within.router.lifespan_context(within):
            yield

    return _application([Mount(WITHIN, within), *Pages(engine, WITHIN).routes()], lifespan)


def _application(routes: list[BaseRoute], lifespan: object = None) -> Starlette:
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={VisitsError: _away})  # type: ignore[arg-type]


async def _away(_request: Request, error: Exception) -> Response:
    return Response(f"{error}\n", 503, {"Retry-After": "5"}, "text/plain")


def _policy(collector: str) -> str:
    """What a page may load: from itself, and from the collector."""
    address = urlsplit(collector)
    own = f"'self' {address.scheme}://{address.netloc}" if address.netloc else "'self'"
    loads = [f"{name} {own}" for name in ("script-src", "connect-src", "img-src")]
    closed = ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    return "; ".join(["default-src 'none'", "style-src 'self'", *loads, *closed])
