"""The mail queue: a list of it, and how long it will be."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ..database.mail_filter import MailFilter
from ..database.mails import STATES, URGENT
from ..database.pages import paged
from ..database.tables import mail
from .times import utc

HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail, without its content. Times are aware, in UTC; ``size`` is in bytes.

    ``due_at``: it is not sent before, if it waits. ``remaining`` are the recipients who do not have it. ``unsure`` is
    how often it may have been sent without an answer having come.
    """

    id: int
    app: str
    handler: str
    source: str | None
    event_id: str | None
    state: str
    priority: int
    queued_at: datetime
    due_at: datetime | None
    changed_at: datetime
    recipients: list[str]
    remaining: list[str]
    sender: str | None
    subject: str
    message_id: str
    size: int
    attempts: int
    unsure: int
    error: str | None


@dataclass(frozen=True)
class Forecast:
    """``runs`` until all is sent that is due now, and the seconds until the last of it is sent: ``earliest`` if the
    next run begins at once, ``latest`` if the last one has just ended."""

    runs: int
    earliest: float
    latest: float


@dataclass(frozen=True)
class MailStatus:
    """Counts of mails: ``due`` now, ``later`` for their time or after a refusal, ``urgent`` of those that are due; then
    by state. ``oldest_wait`` is in seconds. ``sent_last_hour`` is the rate."""

    due: int
    later: int
    urgent: int
    sending: int
    held: int
    unsure: int
    failed: int
    sent: int
    canceled: int
    oldest_wait: float | None
    sent_last_hour: int
    forecast: Forecast


_COLUMNS = [column for column in mail.c if column.name != "content"]


def queued_mails(db: Connection, wanted: MailFilter, limit: int | None = None) -> Iterator[QueuedMail]:
    """What is in the queue, in the order of queueing."""
    for row in paged(db, select(*_COLUMNS).where(*wanted.conditions()), mail, limit):
        yield _mail(row)


def newest_mails(
    db: Connection, wanted: MailFilter, limit: int, below: int | None = None
) -> list[QueuedMail]:
    """The mails that were queued last; those with numbers below one if it is given."""
    older = [] if below is None else [mail.c.id < below]
    query = select(*_COLUMNS).where(*wanted.conditions(), *older).order_by(mail.c.id.desc()).limit(limit)
    return [_mail(row) for row in db.execute(query)]


def content_of(db: Connection, number: int) -> bytes | None:
    """The whole of a mail, but for From and Date."""
    return db.execute(select(mail.c.content).where(mail.c.id == number)).scalar()


def forecast(count: int, limit: int, every: float) -> Forecast:
    """When so many mails are sent by runs of ``limit`` mails, ``every`` so many seconds."""
    runs = math.ceil(count / limit)
    return Forecast(runs, max(0, runs - 1) * every, runs * every)


def mail_status(db: Connection, now: float, limit: int, every: float) -> MailStatus:
    """How much there is to send, and how long that takes by runs of ``limit`` mails, ``every`` so many seconds."""
    counts = dict.fromkeys(STATES, 0)
    for state, count in db.execute(select(mail.c.state, func.count()).group_by(mail.c.state)):
        counts[state] = count
    is_due = (mail.c.state == "waiting", mail.c.due_at <= now)
    due, since = db.execute(select(func.count(), func.min(mail.c.since)).where(*is_due)).one()
    urgent = db.execute(select(func.count()).where(*is_due, mail.c.rank == 0)).scalar_one()
    lately = db.execute(
        select(func.count()).where(mail.c.state == "sent", mail.c.changed_at > now - HOUR)
    ).scalar_one()
    waiting = counts.pop("waiting")
    return MailStatus(
        due=due,
        later=waiting - due,
        urgent=urgent,
        **counts,
        oldest_wait=None if since is None else max(0.0, now - since),
        sent_last_hour=lately,
        forecast=forecast(due, limit, every),
    )


def _mail(row: Any) -> QueuedMail:
    return QueuedMail(
        id=row.id,
        app=row.app,
        handler=row.handler,
        source=row.source,
        event_id=row.event_id,
        state=row.state,
        priority=URGENT - row.rank,
        queued_at=utc(row.queued_at),
        due_at=utc(row.due_at) if row.state == "waiting" else None,
        changed_at=utc(row.changed_at),
        recipients=json.loads(row.recipients),
        remaining=json.loads(row.remaining),
        sender=row.sender,
        subject=row.subject,
        message_id=row.message_id,
        size=row.size,
        attempts=row.attempts,
        unsure=row.unsure,
        error=row.error,
    )
