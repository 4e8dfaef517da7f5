"""The collector as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from oyez.schemas import Catalogue, UnknownSignal, catalogue

from ..async_announcer import AsyncAnnouncer
from ..errors import SettingsError
from ..lookup import options_from, transport_from
from .answers import Refused, refusal
from .events import Maker
from .intake import Intake
from .pages import PageDoor
from .rates import Rates
from .senders import SenderDoor
from .settings import CollectSettings
from .stores import AnnouncingStore, Store
from .trial import Trial
from .visitors import Visitors


def collector(settings: CollectSettings, signals: Catalogue = catalogue) -> Starlette:
    """What answers 202 once events are stored, as `settings` say. SettingsError: one is wrong, or
    names a signal that is not in `signals`."""
    _check_signals(settings, signals)
    transport = transport_from(settings)
    announcer = AsyncAnnouncer(transport, catalogue=signals, **options_from(settings))
    store = AnnouncingStore(transport, announcer, settings.collect_max_pending)
    return _application(settings, signals, store, Intake(Maker(signals, settings.topic), store), [])


def trying_collector(settings: CollectSettings, signals: Catalogue = catalogue) -> Starlette:
    """The same, which stores nothing, and shows at `/good` and `/bad` what it would do."""
    _check_signals(settings, signals)
    trial = Trial()
    intake = Intake(Maker(signals, settings.topic), trial, trial.note)
    return _application(settings, signals, trial, intake, trial.routes())


def _application(
    settings: CollectSettings, signals: Catalogue, store: Store, intake: Intake, more: Sequence[BaseRoute]
) -> Starlette:
    sites = Rates(settings.collect_site_rate)
    addresses = Rates(settings.collect_address_rate)
    pages = PageDoor(settings, signals, intake, (addresses, sites), Visitors(settings))
    senders = SenderDoor(settings, signals, intake, sites)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        store.begin()
        try:
            yield
        finally:
            await store.aclose()

    routes = [
        Route("/events", senders.post, methods=["POST"]),
        Route("/events", senders.handshake, methods=["OPTIONS"]),
        Route("/collect", pages.post, methods=["POST"]),
        Route("/collect", pages.preflight, methods=["OPTIONS"]),
        Route("/collect.gif", pages.pixel, methods=["GET"]),
        Route("/oyez.js", _script, methods=["GET"]),
        Route("/healthz", _healthy, methods=["GET"]),
        *more,
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Refused: _refused})


def _check_signals(settings: CollectSettings, signals: Catalogue) -> None:
    for name, doors in (("collect_sites", settings.collect_sites), ("collect_keys", settings.collect_keys)):
        for signal in (signal for door in doors.values() for signal in door.signals):
            try:
                signals[signal]
            except UnknownSignal as error:
                raise SettingsError(f"settings: {name}: {error}") from None


async def _refused(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)  # it is called for these only
    return refusal(refused)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _script(_request: Request) -> Response:
    text = files(__package__).joinpath("oyez.js").read_bytes()
    return Response(text, 200, {"Cache-Control": "public, max-age=3600"}, "text/javascript")
