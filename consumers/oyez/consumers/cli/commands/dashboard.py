"""`oyez dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from oyez.producers.settings import values_for

from ...dashboard import web
from ...dashboard.settings import DashboardSettings
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.daemons import answering
from ..common.options import given, logged_settings_by
from ..common.stopping import end_on_sigterm


@taking(logged_settings_by("app", "kafka", "topic", "transport", "database"))
def dashboard(
    *,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="HOST", help="The address; 127.0.0.1 unless set. [OYEZ_DASHBOARD_HOST]"
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="The port; 8090 unless set. [OYEZ_DASHBOARD_PORT]"),
    ] = None,
    act: Annotated[
        bool,
        typer.Option(
            "--act", help="Let its pages release, retry, discard, pause and resume; else they only show."
        ),
    ] = False,
    settings: ListenSettings,
) -> None:
    """Show in a browser how everything stands, until SIGTERM (exit code 0) or SIGINT (130).

    It answers on this machine alone, unless OYEZ_DASHBOARD_PASSWORD is set. Needs oyez\\[web].
    """
    end_on_sigterm()
    own = values_for(DashboardSettings, settings) | given(dashboard_host=host, dashboard_port=port)
    _serve(DashboardSettings(**own), acts=act)


def _serve(settings: DashboardSettings, *, acts: bool) -> None:
    with web(who="dashboard"):
        from ...dashboard.serving import serve, served  # noqa: PLC0415 # an extra
    app = served(application_of(settings), settings, acts=acts)
    probes.database(settings)
    with answering(settings) as turn:
        serve(app, settings, output.line, turn)
