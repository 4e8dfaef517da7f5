"""`oyez healthy`, as the help shows it. `oyez.consumers.cli.main` answers it without this."""

from __future__ import annotations

from typing import Annotated

import typer

from ...health.answer import HEALTHY, UNHEALTHY, found
from ..common import output


def healthy(
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Ask only for what a restart may help: for liveness probes.")
    ] = False,
) -> None:
    """Say whether what runs here gets on, from the heartbeats of its processes; exit 1, and a line for each reason, if
    not."""
    lines = found(is_live=live)
    for line in lines or ("healthy",):
        output.line(line)
    raise typer.Exit(UNHEALTHY if lines else HEALTHY)
