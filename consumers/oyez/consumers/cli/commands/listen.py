"""`oyez listen`."""

from __future__ import annotations

from typing import Annotated

import typer

from oyez.producers.loggers import logger_named

from ...handlers.application import Application, Group, StartError
from ...logs.lookup import log_backend
from ...run.crew import processes_from
from ...run.listening import chosen, metrics_folder
from ...run.listening import listen as supervise
from ...settings import ListenSettings
from ..common import completing, probes, streams
from ..common.application import application_of
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
from ..common.options import Json, logged_settings_by
from ..common.stopping import end_on_sigterm, exit_code
from .listen_limit import check_alone, listen_once

log = logger_named("oyez")


@taking(
    logged_settings_by("app", "kafka", "spools", "topic", "database", "metrics", "metrics_host", "processes")
)
def listen(
    *,
    context: typer.Context,
    signals: Annotated[
        list[str] | None,
        typer.Argument(
            autocompletion=completing.groups,
            metavar="[SIGNAL]...",
            help="Signals or groups; all if none is named, or 0.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Start so many workers for each group.")
    ] = 1,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Handle N events at most in one pass, and exit."),
    ] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Run the handlers for what arrives, until SIGTERM (exit code 0) or SIGINT (130).

    With --limit for so many events: what is due in the retry table first, then the log in its order.
    """
    if limit is not None:
        check_alone(workers=workers, only_running=[context.params[name] for name in ("metrics", "processes")])
    elif as_json:
        raise UsageProblem("--json: only a pass with --limit prints data")
    end_on_sigterm()
    with metrics_folder(settings) as folder:
        found = application_of(settings)
        groups = _chosen(found, signals or [])
        probes.database(settings)
        probes.clock(settings)
        backend = log_backend(settings)
        backend.check()
        probes.reached_log(backend)
        if limit is not None:
            listen_once(found, settings, groups, limit, as_json=as_json)
            return
        processes_from(settings, workers)
        names = ", ".join(group.name for group in groups)
        each = f"{workers} worker{'' if workers == 1 else 's'} each"
        log.info("listening to %s: %s; %s", backend.where, names, each)
        with streams.lossy_stdout():
            number = supervise(found, settings, groups, workers, folder)
    raise typer.Exit(exit_code(number))


def _chosen(application: Application, names: list[str]) -> list[Group]:
    try:
        return chosen(application, names)
    except StartError as error:
        raise NotFound(str(error)) from None
