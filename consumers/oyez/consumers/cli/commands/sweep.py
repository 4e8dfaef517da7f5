"""`oyez sweep`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any

import typer
from sqlalchemy.exc import DBAPIError

from oyez.producers.loggers import logger_named

from ...core.stop_signals import Stop
from ...database import Database, DatabaseAway
from ...logs.lookup import find_log_backend
from ...run.assembly import relay_for
from ...run.clock_check import require_clock
from ...run.engines import journaling_engine_from
from ...run.group_pass import UNLIMITED
from ...run.sweep_pass import Sweeper, Swept, within
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.counting import counting_into
from ..common.daemons import Daemon, daemon
from ..common.exits import FAILED, OK
from ..common.options import Every, Json, logged_settings_by
from ..common.progress import progress
from ..common.reporting import is_away, line_of
from ..common.stopping import end_on_sigterm, exit_code

log = logger_named("oyez")

COUNTS = {"handled": "done"} | {name: name for name in ("parked", "released", "dead", "revived", "expired")}
"""What is printed of the totals of a group, and what it is called there."""


def _row(one: Swept) -> dict[str, Any]:
    return {"group": one.group, **{said: getattr(one.totals, name) for said, name in COUNTS.items()}}


COLUMNS = [output.Column(name, itemgetter(name)) for name in ("group", *COUNTS)]


@taking(logged_settings_by("app", "spools", "database"))
def sweep(
    *,
    every: Every = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Take so many events in hand at most, in all groups together."),
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
    backend = find_log_backend(settings)
    if backend is not None:
        backend.check()
    with probes.engine_of(settings, journaling_engine_from) as engine:
        require_clock(Database(engine), settings.max_clock_skew)
        relay = relay_for(settings, engine)
        sweeper = Sweeper(found, settings, engine, relay, UNLIMITED if limit is None else limit)
        try:
            code = (
                _once(sweeper, max_seconds, as_json=as_json)
                if every is None
                else _daemon(sweeper, max_seconds, every, _printer(as_json=as_json))
            )
        finally:
            relay.close(settings.flush_timeout)
    raise typer.Exit(code)


def _once(sweeper: Sweeper, max_seconds: float | None, *, as_json: bool) -> int:
    stop = Stop()
    with progress("sweep", None, hidden=as_json) as advance, output.aside():
        counting = replace(sweeper, instrument=counting_into(advance))
        done = counting.sweep(within(max_seconds, stop))
    if as_json:
        output.json_array(_row(one) for one in done.swept)
    else:
        output.table(map(_row, done.swept), COLUMNS, empty="no groups")
    if done.problem is not None:
        output.note(f"the outbox is held up: {done.problem}")
    if done.problem is not None or done.broken or done.halted:
        return FAILED
    return exit_code(stop.number) if stop() else OK


def _daemon(
    sweeper: Sweeper, max_seconds: float | None, every: float, say: Callable[[Sequence[Swept]], None]
) -> int:
    log.info("sweeping every %g s: %s", every, ", ".join(sweeper.application.groups))
    with daemon(sweeper.settings) as stop:
        _sweep_until(stop, sweeper, max_seconds, every, say)
    return exit_code(stop.number)


def _sweep_until(
    stop: Daemon,
    sweeper: Sweeper,
    max_seconds: float | None,
    every: float,
    say: Callable[[Sequence[Swept]], None],
) -> None:
    held = ""
    while not stop():
        try:
            with output.aside():
                done = sweeper.sweep(within(max_seconds, stop))
            say([one for one in done.swept if not one.totals.is_empty])
            if done.problem is not None and done.problem != held:
                log.warning("the outbox is held up: %s; the next sweep tries again", done.problem)
            held = done.problem or ""
            stop.trouble("; ".join(filter(None, (*done.broken.values(), *done.halted, held))))
        except (DatabaseAway, DBAPIError) as error:
            if not (isinstance(error, DatabaseAway) or is_away(error)):
                raise
            log.warning("%s; the next sweep tries again", line_of(error))
            stop.trouble(line_of(error))
        stop.wait(every)


def _printer(*, as_json: bool) -> Callable[[Sequence[Swept]], None]:
    def json_lines(done: Sequence[Swept]) -> None:
        for one in done:
            output.line(output.json_text({"at": datetime.now(UTC), **_row(one)}))

    def lines(done: Sequence[Swept]) -> None:
        for one in done:
            counts = ", ".join(f"{getattr(one.totals, name)} {said}" for said, name in COUNTS.items())
            output.line(f"{output.iso(datetime.now(UTC))} {one.group}: {counts}")

    return json_lines if as_json else lines
