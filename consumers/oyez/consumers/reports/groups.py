"""Dead letters by what they died of: one group a handler, reason and error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ..database.delivery_filter import Filter
from ..database.dialects.lookup import dialect_of
from ..database.tables import dead
from .times import utc

_DETAIL = re.compile(r"(?: for)? \d.*|[:,].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters that say the same. ``error`` is the first line of theirs, ``wait_signal`` what they waited for,
    ``example`` the id of an event of theirs. Times are aware, in UTC. Records that could not be decoded have no handler
    and no signal.
    """

    count: int
    handler: str
    signal: str
    reason: str
    wait_signal: str | None
    error: str | None
    first_died_at: datetime
    last_died_at: datetime
    example: str


def dead_groups(db: Connection, wanted: Filter) -> list[DeadGroup]:
    """The groups of the dead letters that the filter finds, the largest first."""
    line = dialect_of(db).first_line(dead.c.error).label("line")
    same = (dead.c.handler, dead.c.signal, dead.c.reason, dead.c.wait_signal, line)
    query = select(
        *same,
        func.count().label("count"),
        func.min(dead.c.died_at).label("first"),
        func.max(dead.c.died_at).label("last"),
        func.min(dead.c.event_id).label("example"),
    )
    merged: dict[tuple[str | None, ...], list[Any]] = {}
    for row in db.execute(query.where(*wanted.conditions(dead)).group_by(*same)):
        same_kind = (row.handler, row.signal, kind(row.reason), row.wait_signal, row.line)
        merged.setdefault(same_kind, []).append(row)
    groups = [_group(rows) for rows in merged.values()]
    return sorted(groups, key=lambda group: (-group.count, group.handler, group.reason, group.error or ""))


def kind(reason: str) -> str:
    """A reason without what is different for each delivery: numbers, times, the prerequisite."""
    return _DETAIL.sub("", reason)


def _group(rows: Sequence[Any]) -> DeadGroup:
    one = rows[0]
    return DeadGroup(
        count=sum(row.count for row in rows),
        handler=one.handler,
        signal=one.signal,
        reason=kind(one.reason),
        wait_signal=one.wait_signal,
        error=one.line,
        first_died_at=utc(min(row.first for row in rows)),
        last_died_at=utc(max(row.last for row in rows)),
        example=min(row.example for row in rows),
    )
