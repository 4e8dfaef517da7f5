"""`oyez outbox relay`, `oyez outbox status` and `oyez outbox retry`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from oyez.producers.loggers import logger_named

from ...core.counted import several
from ...core.stop_signals import Stop
from ...database import Database as Transactions
from ...database import DatabaseAway, outbox
from ...database.clock import DatabaseClock
from ...outbox.relay import Relay, Relayed
from ...reports.outbox_rows import outbox_state
from ...run.assembly import relay_for
from ...run.outlets import require_outlet
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.daemons import Daemon, daemon
from ..common.exits import FAILED
from ..common.options import Every, Json, logged_settings_by, settings_by
from ..common.progress import progress
from ..common.reporting import is_away, line_of
from ..common.stopping import end_on_sigterm, exit_code

log = logger_named("oyez.outbox")

TELL_EVERY = 2.0  # s
BUSY = 0.1  # s between two looks while another relay is at work


COLUMNS = (
    output.Column("backlog", lambda row: row.backlog),
    output.Column("oldest", lambda row: row.oldest),
    output.Column("refused", lambda row: row.refused),
    output.Column("last error", lambda row: row.error),
    output.Column("at", lambda row: row.failed_at),
    output.Column("relayed by", lambda row: row.relay),
)


@taking(settings_by("database"))
def status(
    *,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show how many events wait in the outbox, for how long, and what went wrong last."""
    with probes.connected(settings) as db:
        row = outbox_state(db, DatabaseClock()(db))
    if as_json:
        output.json_array([output.as_dict(row)])
    else:
        output.table([row], COLUMNS, empty="")


@taking(settings_by("database"))
def retry(settings: ListenSettings) -> None:
    """Let what was refused wait again, to be sent once more."""
    with probes.engine_of(settings) as engine:
        number = Transactions(engine).repeat(outbox.try_again)
    output.note(f"{number} event{'' if number == 1 else 's'} wait again")


@taking(logged_settings_by("app", "kafka", "transport", "database"))
def relay(
    *,
    every: Every = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Send so many events at most, each time."),
    ] = None,
    settings: ListenSettings,
) -> None:
    """Send what stands in the outbox, in order, and delete what has arrived. Exit code 1 if something is in the way of
    what stays; that --limit was reached is none."""
    end_on_sigterm()
    with probes.engine_of(settings) as engine:
        require_outlet(settings)
        sending = relay_for(settings, engine)
        try:
            if every is None:
                code = Relaying(sending, Transactions(engine), Stop(), limit).once()
            else:
                with daemon(settings) as stop:
                    code = _repeatedly(Relaying(sending, Transactions(engine), stop, limit), stop, every)
        finally:
            sending.close(settings.flush_timeout)
    raise typer.Exit(code)


class Relaying:
    """Sends until there is nothing left, waits while another relay does, and says how far it is."""

    def __init__(self, relay: Relay, database: Transactions, stop: Stop | Daemon, limit: int | None) -> None:
        self._relay = relay
        self._database = database
        self._stop = stop
        self._limit = float("inf") if limit is None else limit
        self._told = time.monotonic()

    def once(self) -> int:
        """Do it; returns the exit code."""
        left = self._left()
        with progress("relay", int(min(left, self._limit))) as advance:
            done = self.relay(advance)
        output.note(f"{several(done.events, 'event')} left the outbox")
        if done.problem is not None:
            output.note(f"{self._left()} stay: {done.problem}")
            return FAILED
        if self._stop():
            return exit_code(self._stop.number)
        if done.events >= self._limit and (left := self._left()):
            # No failure: who limits what leaves each time means the rest to leave the next time.
            verb = "waits" if left == 1 else "wait"
            output.note(f"{several(left, 'event')} {verb} for the next time: --limit was reached")
        return 0

    def relay(self, advance: Callable[[int], None] = lambda _more: None) -> Relayed:
        """Send, waiting while another relay does. ``advance`` is told how many more have left."""
        events = told = 0

        def tell(so_far: int) -> None:
            nonlocal told
            advance(events + so_far - told)
            told = events + so_far
            self._tell(so_far)

        while True:
            done = self._relay.run(self._stop, limit=self._limit - events, tell=tell)
            events += done.events
            if not done.busy or self._stop.wait(BUSY):
                return Relayed(events, done.problem)

    def attempt(self) -> str | None:
        """Do it; returns what is in the way, if something is."""
        try:
            done = self.relay()
        except (DatabaseAway, DBAPIError) as error:
            if not (isinstance(error, DatabaseAway) or is_away(error)):
                raise
            return line_of(error)
        if done.events:
            log.info("%d events left the outbox", done.events)
        return done.problem

    def _tell(self, events: int) -> None:
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            log.info("%d events have left the outbox, %d wait", events, self._left())

    def _left(self) -> int:
        with self._database.reading() as db:
            return outbox.state(db).backlog


def _repeatedly(relaying: Relaying, stop: Daemon, every: float) -> int:
    """Do it every so many seconds, until a signal; returns the exit code."""
    said = ""
    log.info("relaying the outbox every %g s", every)
    while not stop():
        problem = relaying.attempt()
        if problem is not None and problem != said:
            log.warning("%s; the next time tries again", problem)
        elif problem is None and said:
            log.warning("the outbox moves on")
        said = problem or ""
        stop.trouble(said)
        stop.wait(every)
    return exit_code(stop.number)
