"""The options that several commands delivery, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...settings import ListenSettings

App = Annotated[
    str | None, typer.Option("--app", metavar="MODULE:HANDLERS", help="Where the application is. [OYEZ_APP]")
]
Kafka = Annotated[str | None, typer.Option("--kafka", metavar="HOST:PORT", help="The brokers. [OYEZ_KAFKA]")]
Spool = Annotated[
    list[Path] | None,
    typer.Option(
        "--spool", metavar="FOLDER", help="Read the logs below it; may be repeated. [OYEZ_SPOOLS, OYEZ_SPOOL]"
    ),
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The database. [OYEZ_DATABASE]")
]
Topic = Annotated[str | None, typer.Option("--topic", help="The topic of all events. [OYEZ_TOPIC]")]
Transport = Annotated[
    str | None, typer.Option("--transport", help="spool, kafka, inline or memory. [OYEZ_TRANSPORT]")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Metrics = Annotated[
    int | None,
    typer.Option(
        "--metrics", metavar="PORT", min=0, max=65_535, help="Answer /metrics there. [OYEZ_METRICS]"
    ),
]
MetricsHost = Annotated[
    str | None, typer.Option("--metrics-host", metavar="HOST", help="127.0.0.1. [OYEZ_METRICS_HOST]")
]
LogFormat = Annotated[str | None, typer.Option("--log-format", metavar="text|json", help="[OYEZ_LOG_FORMAT]")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")]


def settings_from(context: typer.Context, **flags: Any) -> ListenSettings:
    """The settings: flags of the command, then those before it, then OYEZ_…, then oyez.toml, then defaults."""
    earlier: dict[str, Any] = context.obj or {}
    return ListenSettings(**given(**{**earlier, **given(**flags)}))


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given."""
    return {name: value for name, value in flags.items() if value is not None and value != []}
