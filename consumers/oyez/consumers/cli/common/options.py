"""The options that several commands share, and the settings that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completing, logging
from .bundles import Bundle

if TYPE_CHECKING:
    from ...settings import ListenSettings

App = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:HANDLERS", help="The application's handlers. [OYEZ_APP]"),
]
Kafka = Annotated[
    str | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="The brokers; several with commas. [OYEZ_KAFKA]"),
]
Spools = Annotated[
    list[Path] | None,
    typer.Option(
        "--spool",
        metavar="FOLDER",
        help="Read the spool's logs below this folder; may be repeated. [OYEZ_SPOOLS, OYEZ_SPOOL]",
    ),
]
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The database. [OYEZ_DATABASE]")
]
Topic = Annotated[
    str | None, typer.Option("--topic", help="The topic of signals that name none. [OYEZ_TOPIC]")
]
Transport = Annotated[
    str | None, typer.Option("--transport", help="spool, kafka, inline or memory. [OYEZ_TRANSPORT]")
]
Source = Annotated[str | None, typer.Option("--source", help="The announcing server's name. [OYEZ_SOURCE]")]
Metrics = Annotated[
    int | None,
    typer.Option(
        "--metrics", metavar="PORT", min=0, max=65_535, help="Answer /metrics at this port. [OYEZ_METRICS]"
    ),
]
MetricsHost = Annotated[
    str | None,
    typer.Option(
        "--metrics-host", metavar="HOST", help="The address for it; 127.0.0.1 unless set. [OYEZ_METRICS_HOST]"
    ),
]
Processes = Annotated[
    str | None,
    typer.Option(
        "--processes",
        metavar="N|auto",
        help="Deal the workers over so many processes; one for each unless set. [OYEZ_PROCESSES]",
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", metavar="text|json", help="How log lines are written. [OYEZ_LOG_FORMAT]"),
]
SETTINGS: Mapping[str, Any] = {
    "app": App,
    "kafka": Kafka,
    "spools": Spools,
    "database": Database,
    "topic": Topic,
    "transport": Transport,
    "source": Source,
    "metrics": Metrics,
    "metrics_host": MetricsHost,
    "processes": Processes,
    "log_format": LogFormat,
}
"""The options that set a setting, by its name."""

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Every = Annotated[
    float | None,
    typer.Option(
        "--every", metavar="SECONDS", min=0.1, help="Do it again after so many seconds, until SIGTERM."
    ),
]
NoLag = Annotated[bool, typer.Option("--no-lag", help="Do not ask Kafka or the spool how much is left.")]
SignalName = Annotated[
    str,
    typer.Argument(autocompletion=completing.signals, metavar="SIGNAL", help="The signal's name or number."),
]


def settings_by(*names: str, **own: Any) -> Bundle:
    """The options that set these settings, and those of the command's ``own``; it gets `ListenSettings`, as
    ``settings``."""
    return Bundle("settings", {**{name: SETTINGS[name] for name in names}, **own}, settings_from)


def logged_settings_by(*names: str, **own: Any) -> Bundle:
    """The same for a command that logs while it works: how it logs can be said too, and is set up."""

    def make(context: typer.Context, *, verbose: bool, quiet: bool, **flags: Any) -> ListenSettings:
        settings = settings_from(context, **flags)
        logging.configure_again(settings.log_format, verbose=verbose, quiet=quiet)
        return settings

    of_settings = settings_by(*names, "log_format", **own).options
    return Bundle("settings", {**of_settings, "verbose": Verbose, "quiet": Quiet}, make)


def settings_from(context: typer.Context, **flags: Any) -> ListenSettings:
    """The settings: flags of the command, then those before it, then OYEZ_…, then oyez.toml, then defaults. Raises
    `SettingsError`."""
    from ...settings import ListenSettings  # noqa: PLC0415 # pydantic is for commands that are run

    earlier: dict[str, Any] = context.obj or {}
    return ListenSettings(**given(**{**earlier, **given(**flags)}))


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given."""
    return {name: value for name, value in flags.items() if value is not None and value != []}
