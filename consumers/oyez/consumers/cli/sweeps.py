"""`oyez sweep`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from ..application import Application
from ..assembly import sweepers
from ..database import DatabaseAway
from ..retrying import Retrying
from ..settings import ListenSettings
from ..tally import Tally
from . import logs, output, probes
from .apps import application_of
from .exits import is_away, line_of
from .options import App, Database, Json, LogFormat, Quiet, Verbose, settings_from
from .stopping import Stop, end_on_sigterm, exit_code

log = logging.getLogger("oyez")

COLUMNS = (
    output.Column("group", lambda row: row.group),
    output.Column("handled", lambda row: row.handled),
    output.Column("parked", lambda row: row.parked),
    output.Column("released", lambda row: row.released),
    output.Column("dead", lambda row: row.dead),
    output.Column("revived", lambda row: row.revived),
)


@dataclass(frozen=True)
class Swept:
    """What one sweep did in one group. Counts of shares; ``parked`` are those that have to wait again."""

    group: str
    handled: int
    parked: int
    released: int
    dead: int
    revived: int

    @property
    def is_empty(self) -> bool:
        return not (self.handled or self.parked or self.released or self.dead or self.revived)


def sweep(
    context: typer.Context,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Go on until SIGTERM, this often."),
    ] = None,
    application: App = None,
    database: Database = None,
    as_json: Json = False,
    log_format: LogFormat = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run what is due in the retry table of every group, and whatever that releases."""
    end_on_sigterm()
    settings = settings_from(context, app=application, database=database, log_format=log_format)
    logs.configure_again(settings.log_format, verbose=verbose, quiet=quiet)
    found = application_of(settings)
    probes.database(settings)
    if every is None:
        _once(found, settings, as_json=as_json)
    else:
        raise typer.Exit(_daemon(found, settings, every, _printer(as_json=as_json)))


def _once(application: Application, settings: ListenSettings, *, as_json: bool) -> None:
    stop = Stop()
    engine = probes.reached(settings)
    try:
        done = one_pass(sweepers(application, settings, engine), stop)
    finally:
        engine.dispose()
    if as_json:
        output.json_array(asdict(one) for one in done)
    else:
        output.table(done, COLUMNS, empty="no groups")
    if stop():
        raise typer.Exit(exit_code(stop.number))


def one_pass(retry_tables: Sequence[Retrying], stop: Callable[[], bool]) -> list[Swept]:
    """Sweep every group, again as long as that released something for another; what was done, by group."""
    tallies = [Tally() for _ in retry_tables]
    with output.aside():
        released = -1
        while released != sum(tally.released + tally.revived for tally in tallies) and not stop():
            released = sum(tally.released + tally.revived for tally in tallies)
            for tally, retrying in zip(tallies, retry_tables, strict=True):
                retrying.sweep(tally.add, stop)
    return [
        Swept(retrying.group, tally.done, tally.parked, tally.released, tally.dead, tally.revived)
        for retrying, tally in zip(retry_tables, tallies, strict=True)
    ]


def _daemon(
    application: Application, settings: ListenSettings, every: float, say: Callable[[list[Swept]], None]
) -> int:
    stop = Stop()
    engine = probes.reached(settings)
    tables = sweepers(application, settings, engine)
    log.info("sweeping every %g s: %s", every, ", ".join(application.groups))
    try:
        while not stop():
            try:
                say([one for one in one_pass(tables, stop) if not one.is_empty])
            except (DatabaseAway, DBAPIError) as error:
                if not (isinstance(error, DatabaseAway) or is_away(error)):
                    raise
                log.warning("%s; the next sweep tries again", line_of(error))
            stop.wait(every)
    finally:
        engine.dispose()
    return exit_code(stop.number)


def _printer(*, as_json: bool) -> Callable[[list[Swept]], None]:
    def json_lines(done: list[Swept]) -> None:
        for one in done:
            output.line(output.json_text({"at": datetime.now(UTC), **asdict(one)}))

    def lines(done: list[Swept]) -> None:
        for one in done:
            output.line(
                f"{output.iso(datetime.now(UTC))} {one.group}: {one.handled} handled, {one.parked} parked, "
                f"{one.released} released, {one.dead} dead, {one.revived} revived"
            )

    return json_lines if as_json else lines
