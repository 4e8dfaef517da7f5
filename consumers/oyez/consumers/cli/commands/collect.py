"""`oyez collect`."""

from __future__ import annotations

from typing import Annotated

import typer

from oyez.producers.collector import web
from oyez.producers.collector.settings import CollectSettings
from oyez.producers.settings import values_for

from ...settings import ListenSettings
from ..common import output
from ..common.application import handlers_of
from ..common.bundles import taking
from ..common.daemons import answering
from ..common.options import given, logged_settings_by
from ..common.stopping import end_on_sigterm


@taking(logged_settings_by("app", "kafka", "topic", "transport", "source"))
def collect(
    *,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="HOST", help="The address; 127.0.0.1 unless set. [OYEZ_COLLECT_HOST]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="The port; 8080 unless set. [OYEZ_COLLECT_PORT]"),
    ] = None,
    tries: Annotated[
        bool,
        typer.Option("--try", help="Store nothing; show at /good and /bad what would have been done."),
    ] = False,
    settings: ListenSettings,
) -> None:
    """Take events of browsers and of other systems over HTTP, until SIGTERM (exit code 0) or SIGINT (130).

    Each is stored when it is answered with 202. Needs oyez\\[web].
    """
    end_on_sigterm()
    handlers_of(settings)  # fills the catalogue
    own = values_for(CollectSettings, settings) | given(collect_host=host, collect_port=port)
    _serve(CollectSettings(**own), settings, tries=tries)


def _serve(settings: CollectSettings, health: ListenSettings, *, tries: bool) -> None:
    with web(who="collect"):
        from oyez.producers.collector.app import collector, trying_collector  # noqa: PLC0415 # an extra
        from oyez.producers.collector.serving import serve  # noqa: PLC0415 # as above
    app = trying_collector(settings) if tries else collector(settings)
    with answering(health) as turn:
        serve(app, settings, output.line, turn)
