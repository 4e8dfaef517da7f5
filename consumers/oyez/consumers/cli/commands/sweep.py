"""`oyez sweep`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any

import typer
from sqlalchemy.exc import DBAPIError

from ...database import DatabaseAway
from ...handlers.application import Application
from ...logs.lookup import find_log_backend
from ...outbox.relay import Relay
from ...run.assembly import relay_for
from ...run.sweep_pass import Pass, Sweeper, Swept, one_pass, sweepers, within
from ...settings import ListenSettings
from ...worker.allowance import Allowance
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.exits import FAILED, is_away, line_of
from ..common.options import Every, Json, logged_settings_by
from ..common.stopping import Stop, end_on_sigterm, exit_code

log = logging.getLogger("oyez")

COUNTS = {"handled": "done", "parked": "parked", "released": "released", "dead": "dead", "revived": "revived"}
"""What is printed of the totals of a group, and what it is called there."""


def _row(one: Swept) -> dict[str, Any]:
    return {"group": one.group, **{said: getattr(one.totals, name) for said, name in COUNTS.items()}}


COLUMNS = [output.Column(name, itemgetter(name)) for name in ("group", *COUNTS)]


@dataclass(frozen=True)
class Bounds:
    """How much one pass may do."""

    limit: int | None
    seconds: float | None

    def one_pass(self, groups: Sequence[Sweeper], relay: Relay, stop: Callable[[], bool]) -> Pass:
        """A pass within them."""
        with output.aside():
            return one_pass(groups, relay, within(self.seconds, stop), Allowance(self.limit))


@taking(logged_settings_by("app", "spools", "database"))
def sweep(
    *,
    every: Every = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Read so many events at most, in all groups together."),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", metavar="SECONDS", min=0.1, help="Begin nothing more after so long."),
    ] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Read what the spool holds, run what is due in the retry table of every group and whatever that releases, and
    send what stands in the outbox."""
    end_on_sigterm()
    found = application_of(settings)
    probes.database(settings)
    backend = find_log_backend(settings)
    if backend is not None:
        backend.check()
    bounds = Bounds(limit, max_seconds)
    if every is None:
        _once(found, settings, bounds, as_json=as_json)
    else:
        raise typer.Exit(_daemon(found, settings, every, bounds, _printer(as_json=as_json)))


def _once(application: Application, settings: ListenSettings, bounds: Bounds, *, as_json: bool) -> None:
    stop = Stop()
    engine = probes.reached(settings)
    relay = relay_for(settings, engine)
    try:
        done = bounds.one_pass(sweepers(application, settings, engine), relay, stop)
    finally:
        relay.close(settings.flush_timeout)
        engine.dispose()
    if as_json:
        output.json_array(_row(one) for one in done.swept)
    else:
        output.table(map(_row, done.swept), COLUMNS, empty="no groups")
    if done.problem is not None:
        output.note(f"the outbox is held up: {done.problem}")
    if done.problem is not None or done.halted:
        raise typer.Exit(FAILED)
    if stop():
        raise typer.Exit(exit_code(stop.number))


def _daemon(
    application: Application,
    settings: ListenSettings,
    every: float,
    bounds: Bounds,
    say: Callable[[list[Swept]], None],
) -> int:
    stop = Stop()
    engine = probes.reached(settings)
    groups, relay = sweepers(application, settings, engine), relay_for(settings, engine)
    held = ""
    log.info("sweeping every %g s: %s", every, ", ".join(application.groups))
    try:
        while not stop():
            try:
                done = bounds.one_pass(groups, relay, stop)
                say([one for one in done.swept if not one.totals.is_empty])
                if done.problem is not None and done.problem != held:
                    log.warning("the outbox is held up: %s; the next sweep tries again", done.problem)
                held = done.problem or ""
            except (DatabaseAway, DBAPIError) as error:
                if not (isinstance(error, DatabaseAway) or is_away(error)):
                    raise
                log.warning("%s; the next sweep tries again", line_of(error))
            stop.wait(every)
    finally:
        relay.close(settings.flush_timeout)
        engine.dispose()
    return exit_code(stop.number)


def _printer(*, as_json: bool) -> Callable[[list[Swept]], None]:
    def json_lines(done: list[Swept]) -> None:
        for one in done:
            output.line(output.json_text({"at": datetime.now(UTC), **_row(one)}))

    def lines(done: list[Swept]) -> None:
        for one in done:
            counts = ", ".join(f"{getattr(one.totals, name)} {said}" for said, name in COUNTS.items())
            output.line(f"{output.iso(datetime.now(UTC))} {one.group}: {counts}")

    return json_lines if as_json else lines
