"""Choosing mails of the queue: one filter for whatever lists or changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, delete, func, select, update

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .mails import URGENT
from .tables import mail


@dataclass(frozen=True)
class MailFilter:
    """Which mails: those that agree with all that is given.

    ``states`` are any of these; ``to`` is a part of one of its recipients' addresses, ``error`` of its error;
    ``before`` and ``since``, in seconds since the epoch, say when it was queued; ``events`` are ids of events,
    ``numbers`` those of mails; ``unchanged_since``: nothing has become of it since that time; ``unsure``: it may have
    been sent, whatever became of it since; ``tried``: one that waits has been tried.
    """

    states: tuple[str, ...] = ()
    handler: str | None = None
    source: str | None = None
    priority: int | None = None
    to: str | None = None
    error: str | None = None
    before: float | None = None
    since: float | None = None
    events: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    unchanged_since: float | None = None
    unsure: bool = False
    tried: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """What is asked of a row."""
        exact = {"handler": self.handler, "source": self.source}
        asked: list[ColumnElement[bool]] = [
            mail.c[name] == value for name, value in exact.items() if value is not None
        ]
        if self.priority is not None:
            asked.append(mail.c.rank == URGENT - self.priority)
        among = {"state": self.states, "event_id": self.events, "id": self.numbers}
        asked.extend(mail.c[name].in_(values) for name, values in among.items() if values)
        for column, part in ((mail.c.recipients, self.to), (mail.c.error, self.error)):
            if part:
                # LIKE would ignore the case on SQLite, and there is no other function that both databases have.
                asked.append(func.replace(column, part, "") != column)
        if self.before is not None:
            asked.append(mail.c.queued_at < self.before)
        if self.since is not None:
            asked.append(mail.c.queued_at >= self.since)
        if self.unchanged_since is not None:
            asked.append(mail.c.changed_at <= self.unchanged_since)
        if self.unsure:
            asked.append(mail.c.unsure > 0)
        if self.tried:
            # What was turned away with its connection has lost no attempt.
            asked.append((mail.c.state != "waiting") | (mail.c.attempts > 0) | mail.c.error.is_not(None))
        return asked


def chosen(db: Connection, wanted: MailFilter, most: int | None = None) -> list[int]:
    """The numbers of all mails that the filter finds, or of so many."""
    query = select(mail.c.id).where(*wanted.conditions()).order_by(mail.c.id).limit(most)
    return list(db.execute(query).scalars())


def count(db: Connection, wanted: MailFilter, most: int) -> int:
    """How many mails the filter finds; ``most`` stands for that many and more."""
    some = select(mail.c.id).where(*wanted.conditions()).limit(most).subquery()
    return int(db.execute(select(func.count()).select_from(some)).scalar_one())


@cache
def _ids(dialect: Dialect) -> Rows:
    return dialect.rows(id=BigInteger)


def _among(db: Connection, wanted: MailFilter) -> tuple[Rows, Select[Any]]:
    rows = _ids(dialect_of(db))
    return rows, select(mail.c.id).where(mail.c.id.in_(rows.select()), *wanted.conditions()).order_by(
        mail.c.id
    )


def still(db: Connection, ids: Sequence[int], wanted: MailFilter) -> list[int]:
    """Those of ``ids`` that the filter still finds; nothing is locked."""
    rows, query = _among(db, wanted)
    return list(db.execute(query, rows.bind([(number,) for number in ids])).scalars())


def lock(db: Connection, ids: Sequence[int], wanted: MailFilter) -> list[int]:
    """Lock those of ``ids`` that the filter still finds and nobody else has locked."""
    rows, query = _among(db, wanted)
    return list(db.execute(unclaimed(query, mail), rows.bind([(number,) for number in ids])).scalars())


def change(db: Connection, ids: Sequence[int], values: Mapping[str, object]) -> None:
    """Write these values into locked rows."""
    rows = _ids(dialect_of(db))
    statement = update(mail).where(mail.c.id.in_(rows.select())).values(dict(values))
    db.execute(statement, rows.bind([(number,) for number in ids]))


def remove(db: Connection, ids: Sequence[int]) -> None:
    """Delete locked rows."""
    rows = _ids(dialect_of(db))
    db.execute(delete(mail).where(mail.c.id.in_(rows.select())), rows.bind([(number,) for number in ids]))
