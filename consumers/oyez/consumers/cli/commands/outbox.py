"""`oyez outbox drain` and `oyez outbox status`."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import typer
from sqlalchemy.exc import DBAPIError

from ...database import Database as Transactions
from ...database import DatabaseAway, outbox
from ...outbox.relay import Drained, Drainer
from ...run.assembly import drainer_for
from ...run.outlets import require_outlet
from ...settings import ListenSettings
from ..common import logging as logs
from ..common import output, probes
from ..common.exits import FAILED, is_away, line_of
from ..common.options import App, Database, Json, Kafka, LogFormat, Quiet, Transport, Verbose, settings_from
from ..common.stopping import Stop, end_on_sigterm, exit_code

log = logging.getLogger("oyez.outbox")

TELL_EVERY = 2.0  # s
BUSY = 0.1  # s between two looks while somebody else drains


class OutboxRow(NamedTuple):
    """What is in the outbox, as it is printed."""

    backlog: int
    oldest: float | None
    refused: int
    error: str | None
    failed_at: datetime | None
    drainer: str | None


COLUMNS = (
    output.Column("backlog", lambda row: row.backlog),
    output.Column("oldest", lambda row: row.oldest),
    output.Column("refused", lambda row: row.refused),
    output.Column("last error", lambda row: row.error),
    output.Column("at", lambda row: row.failed_at),
    output.Column("drained by", lambda row: row.drainer),
)


def status(context: typer.Context, database: Database = None, as_json: Json = False) -> None:
    """Show how many events wait in the outbox, for how long, and what went wrong last."""
    settings = settings_from(context, database=database)
    probes.database(settings)
    row = row_of(settings)
    if as_json:
        output.json_array([row._asdict()])
    else:
        output.table([row], COLUMNS, empty="")


def row_of(settings: ListenSettings) -> OutboxRow:
    """What is in the outbox now; ages in seconds."""
    engine = probes.reached(settings)
    try:
        with engine.connect() as db:
            found = outbox.state(db)
    finally:
        engine.dispose()
    age = None if found.oldest is None else max(0.0, time.time() - found.oldest)
    failed = None if found.failed_at is None else datetime.fromtimestamp(found.failed_at, UTC)
    return OutboxRow(found.backlog, age, found.refused, found.error, failed, found.owner)


def retry(context: typer.Context, database: Database = None) -> None:
    """Let what was refused wait again, to be sent once more."""
    settings = settings_from(context, database=database)
    probes.database(settings)
    engine = probes.reached(settings)
    try:
        number = Transactions(engine).repeat(outbox.try_again)
    finally:
        engine.dispose()
    output.note(f"{number} event{'' if number == 1 else 's'} wait again")


def drain(
    context: typer.Context,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Go on until SIGTERM, this often."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Events that leave at most, each time.")
    ] = None,
    application: App = None,
    kafka: Kafka = None,
    transport: Transport = None,
    database: Database = None,
    log_format: LogFormat = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Send what stands in the outbox, in order, and delete what has arrived."""
    end_on_sigterm()
    given = {"app": application, "kafka": kafka, "transport": transport, "database": database}
    settings = settings_from(context, **given, log_format=log_format)
    logs.configure_again(settings.log_format, verbose=verbose, quiet=quiet)
    probes.database(settings)
    require_outlet(settings)
    engine = probes.reached(settings)
    draining = Drain(drainer_for(settings, engine), Transactions(engine), Stop(), limit)
    try:
        code = draining.once() if every is None else draining.repeatedly(every)
    finally:
        draining.close(settings.flush_timeout)
        engine.dispose()
    raise typer.Exit(code)


class Drain:
    """Drains until there is nothing left, whoever else does, and says how far it is."""

    def __init__(self, drainer: Drainer, database: Transactions, stop: Stop, limit: int | None) -> None:
        self._drainer = drainer
        self._database = database
        self._stop = stop
        self._limit = float("inf") if limit is None else limit
        self._told = time.monotonic()

    def once(self) -> int:
        """Drain; returns the exit code."""
        done = self.drain()
        output.note(f"{done.events} event{'' if done.events == 1 else 's'} left the outbox")
        if done.problem is None:
            return exit_code(self._stop.number) if self._stop() else 0
        output.note(f"{self._left()} stay: {done.problem}")
        return FAILED

    def repeatedly(self, every: float) -> int:
        """Drain every so many seconds, until a signal."""
        said = ""
        log.info("draining the outbox every %g s", every)
        while not self._stop():
            problem = self._try()
            if problem is not None and problem != said:
                log.warning("%s; the next time tries again", problem)
            elif problem is None and said:
                log.warning("the outbox moves on")
            said = problem or ""
            self._stop.wait(every)
        return exit_code(self._stop.number)

    def drain(self) -> Drained:
        """Drain, waiting while somebody else does."""
        events = 0
        while True:
            done = self._drainer.drain(self._stop, limit=self._limit - events, tell=self._tell)
            events += done.events
            if not done.busy or self._stop.wait(BUSY):
                return Drained(events, done.problem)

    def close(self, timeout: float) -> None:
        """Let go of the transport."""
        self._drainer.close(timeout)

    def _try(self) -> str | None:
        try:
            done = self.drain()
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
