"""Writing the journal: one statement for what a transaction did, in that transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import Connection, Double, Integer, Text, bindparam, literal

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named
from .dialects.rows import Rows
from .journal_table import journal

ALL = 2**32
"""How many numbers there are of which a key has one."""


def number_of(key: str) -> int:
    """The number of a key, or of an event's id where there is none; each process makes the same."""
    return crc32(key.encode())


def is_in_share(key: str, share: float) -> bool:
    """Whether a key is among those of which the journal has this share."""
    return number_of(key) < int(share * ALL)


def missing_from(setting: float | str, share: float, key: str) -> str | None:
    """What of this key the journal does not have, as it is set (`OYEZ_JOURNAL`); None: nothing."""
    if setting == "parked":
        return "the journal has what was parked or has died, and not what was done at once"
    if share == 0:
        return "the journal is off: what was done is not known"
    if not is_in_share(key, share):
        return f"the journal has {share:.0%} of the keys, and not this one: what was done is not known"
    return None


class Transaction(NamedTuple):
    """What all rows of a transaction have in common: see `journal_table`. Times are in seconds since the epoch."""

    app: str
    group_name: str
    at: float
    seconds: float | None
    together: int


DoneAtOnce = tuple[str, str, str, str, str | None, str | None, float | None]
"""Handler, signal, source, id, key, subject, and when it was announced."""

_COMMON = {"app": Text, "group_name": Text, "at": Double, "seconds": Double, "together": Integer}


@cache
def _note_done(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(
        handler=Text, signal=Text, source=Text, event_id=Text, key=Text, subject=Text, announced_at=Double
    )
    common: list[Any] = [bindparam(name, type_=kind) for name, kind in _COMMON.items()]
    given = rows.select(*common, bindparam("at", type_=Double), literal("done", Text), literal(1, Integer))
    names = [*rows.c, *_COMMON, "arrived_at", "outcome", "attempts"]
    return rows, dialect.insert(journal).from_select(names, given)


def note_done(db: Connection, transaction: Transaction, done: Sequence[DoneAtOnce]) -> None:
    """Write of deliveries that were done at their first attempt, as nearly all are: what they have in common is sent
    once."""
    if done:
        rows, statement = _note_done(dialect_named(db.dialect.name))
        db.execute(statement, {**rows.bind(done), **transaction._asdict()})


def note(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of any kind, which all have the same columns."""
    if rows:
        dialect_named(db.dialect.name).put(db, journal, rows)
