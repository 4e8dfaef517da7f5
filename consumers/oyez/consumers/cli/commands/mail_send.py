"""`oyez mail send`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from oyez.producers.loggers import logger_named

from ...core.rate_limit import Pace
from ...core.stop_signals import Stop
from ...database import Database as Transactions
from ...database import DatabaseAway
from ...mail.assembly import sender_for
from ...mail.errors import MailServerAway, SenderBusy, SenderUnset
from ...mail.sender import Order, Sender, Tally
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.daemons import Daemon, daemon
from ..common.options import Every, Json, logged_settings_by
from ..common.progress import counted
from ..common.rates import interval_of
from ..common.reporting import is_away, line_of
from ..common.stopping import exit_code
from .mail_list import RunLimit

log = logger_named("oyez")

COLUMNS = (
    output.Column("sent", lambda row: row.sent),
    output.Column("delayed", lambda row: row.delayed),
    output.Column("failed", lambda row: row.failed),
    output.Column("unsure", lambda row: row.unsure),
)


@taking(logged_settings_by("database", mail_limit=RunLimit))
def mail_send(
    *,
    every: Every = None,
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="N/min", help="Send so many a minute at most; N/s and N/h too."),
    ] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Send mails of the queue: the highest priority first, and of one priority the oldest first."""
    pace = Pace(0.0 if rate is None else interval_of(rate, "mails", "min"))
    probes.database(settings)
    engine = probes.reached(settings)
    try:
        sender = _sender(settings, engine)
        if every is None:
            stop = Stop()
            _once(sender, Order(settings.mail_limit, pace=pace, stopped=stop), as_json=as_json)
            number = stop.number if stop() else None
        else:
            with daemon(settings) as going:
                order = Order(settings.mail_limit, pace=pace, stopped=going)
                _daemon(sender, order, going, every, _printer(as_json=as_json))
            number = going.number
    finally:
        engine.dispose()
    if number is not None:
        raise typer.Exit(exit_code(number))


def _sender(settings: ListenSettings, engine: Engine) -> Sender:
    return sender_for(settings, Transactions(engine), idle_limit=settings.idle_in_transaction)


def _once(sender: Sender, order: Order, *, as_json: bool) -> None:
    """One run. What it did is printed also when it ends early."""
    tally = Tally()
    try:
        with counted("send", None, lambda: sum(asdict(tally).values()), hidden=as_json):
            sender.run(order, tally)
    finally:
        if as_json:
            output.json_array([asdict(tally)])
        else:
            output.table([tally], COLUMNS, empty="")


def _daemon(sender: Sender, order: Order, stop: Daemon, every: float, say: Callable[[Tally], None]) -> None:
    log.info("sending mail every %g s, %d at most", every, order.limit)
    while not stop():
        tally = Tally()
        try:
            sender.run(order, tally)
            stop.trouble("")
        except (DatabaseAway, DBAPIError, MailServerAway, SenderBusy, SenderUnset) as error:
            if isinstance(error, DBAPIError) and not is_away(error):
                raise
            stop.trouble("" if isinstance(error, SenderBusy) else line_of(error))
            log.warning("%s; the next run tries again", line_of(error))
        if not tally.is_empty:
            say(tally)
        stop.wait(every)


def _printer(*, as_json: bool) -> Callable[[Tally], None]:
    def json_line(tally: Tally) -> None:
        output.line(output.json_text({"at": datetime.now(UTC), **asdict(tally)}))

    def line(tally: Tally) -> None:
        output.line(
            f"{output.iso(datetime.now(UTC))} {tally.sent} sent, {tally.delayed} delayed, {tally.failed} failed, "
            f"{tally.unsure} may have been sent"
        )

    return json_line if as_json else line
