"""`oyez healthy`, as the help shows it. `oyez.consumers.cli.main` answers it without this."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ...health.answer import HEALTHY, UNHEALTHY, found
from ...health.folder import default
from ..common import output


def healthy(
    context: typer.Context,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Ask only for what a restart may help: for liveness probes.")
    ] = False,
) -> None:
    """Say whether what runs here gets on, from the heartbeats of its processes; exit 1, and a line for each reason, if
    not."""
    lines = found(is_live=live, where=_said(context.obj or {}))
    for line in lines or ("healthy",):
        output.line(line)
    raise typer.Exit(UNHEALTHY if lines else HEALTHY)


def _said(around: Mapping[str, Any]) -> str | None:
    """The folder that a program says which this is a command of; None if it says nothing of it."""
    return str(around["health"] or default(os.environ)) if "health" in around else None
