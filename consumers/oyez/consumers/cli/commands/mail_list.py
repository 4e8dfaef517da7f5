"""`oyez mail list`, `oyez mail show` and `oyez mail status`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ...database.clock import DatabaseClock
from ...database.mail_filter import MailFilter
from ...reports.mails import MailStatus, QueuedMail, content_of, mail_status, queued_mails
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import by_database
from ..common.bundles import taking
from ..common.errors import NotFound
from ..common.options import Json, settings_by
from .deliveries_list import Limit, at_most, shown_rows
from .mail_filter import MAIL_FILTER

COLUMNS = (
    output.Column("mail", lambda row: row.id, whole=True),
    output.Column("state", lambda row: row.state),
    output.Column("priority", lambda row: row.priority),
    output.Column("queued", lambda row: row.queued_at),
    output.Column("due", lambda row: row.due_at),
    output.Column("to", lambda row: row.recipients),
    output.Column("subject", lambda row: row.subject),
    output.Column("handler", lambda row: row.handler, wide=True, whole=True),
    output.Column("source", lambda row: row.source, wide=True, whole=True),
    output.Column("event", lambda row: row.event_id, wide=True, whole=True),
    output.Column("bytes", lambda row: row.size, wide=True),
    output.Column("attempts", lambda row: row.attempts, wide=True),
    output.Column("unsure", lambda row: row.unsure, wide=True),
    output.Column("error", lambda row: row.error, brief=True),
)
Numbers = Annotated[list[int], typer.Argument(metavar="MAIL...", help="Numbers of mails.")]


@taking(MAIL_FILTER, settings_by("database"))
def mail_list(
    *,
    wanted: MailFilter,
    limit: Limit = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """List the mail queue. Contents are not printed."""
    with probes.connected(settings) as db:
        rows = queued_mails(db, by_database(wanted, db), at_most(limit))
        shown_rows(rows, COLUMNS, limit, as_json=as_json, empty="no mails")


@taking(settings_by("database"))
def mail_show(
    *,
    numbers: Numbers,
    content: Annotated[bool, typer.Option("--content", help="Print the whole mail too.")] = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show all that is kept of mails; their contents only when they are asked for."""
    with probes.connected(settings) as db:
        found = list(queued_mails(db, MailFilter(numbers=tuple(numbers))))
        texts = {one.id: _text(db, one) if content else None for one in found}
    if as_json:
        output.json_array({**asdict(one), **({"content": texts[one.id]} if content else {})} for one in found)
    elif found:
        output.line("\n\n".join("\n".join(_lines(one, texts[one.id])) for one in found))
    missing = sorted(set(numbers) - {one.id for one in found})
    if missing:
        raise NotFound(f"there is no mail {', '.join(map(str, missing))}")


def _text(db: Connection, one: QueuedMail) -> str:
    return (content_of(db, one.id) or b"").decode("utf-8", "backslashreplace")


def _lines(one: QueuedMail, content: str | None) -> Iterator[str]:
    said = asdict(one)
    error = said.pop("error")
    for name, value in said.items():
        if value not in (None, ""):
            yield f"{name}\t{output.shown(value, None)}"
    for name, text in (("error", error), ("content", content)):
        if text:
            yield name
            yield from (f"  {output.shown(line, None)}" for line in text.splitlines())


COUNTS = ("due", "later", "urgent", "sending", "held", "unsure", "failed", "sent", "canceled")


RunLimit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Mails that one run sends, at most. [OYEZ_MAIL_LIMIT]")
]
RunsEvery = Annotated[
    float | None,
    typer.Option("--every", metavar="SECONDS", min=0.1, help="The time between two runs. [OYEZ_MAIL_EVERY]"),
]


@taking(settings_by("database", mail_limit=RunLimit, mail_every=RunsEvery))
def mail_status_(
    *,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show how many mails wait, how many were sent, and when the last one will be."""
    with probes.connected(settings) as db:
        found = mail_status(db, DatabaseClock()(db), settings.mail_limit, settings.mail_every)
    if as_json:
        said = {"limit": settings.mail_limit, "every": settings.mail_every}
        output.json_array([{**asdict(found), **said}])
        return
    columns = [output.Column(name, _count(name)) for name in COUNTS]
    columns.append(output.Column("oldest wait", lambda row: row.oldest_wait))
    columns.append(output.Column("sent last hour", lambda row: row.sent_last_hour))
    output.table([found], columns, empty="")
    output.line(_expected(found, settings.mail_limit, settings.mail_every))


def _count(name: str) -> Any:
    return lambda row: getattr(row, name)


def _expected(found: MailStatus, limit: int, every: float) -> str:
    """The expected wait, in words."""
    ahead = found.forecast
    if not ahead.runs:
        return "nothing is due"
    runs = "1 run" if ahead.runs == 1 else f"{ahead.runs} runs"
    return (
        f"at {limit} every {output.span(every)}: sent in {runs}, the last after {output.span(ahead.earliest)} "
        f"and at most {output.span(ahead.latest)}"
    )
