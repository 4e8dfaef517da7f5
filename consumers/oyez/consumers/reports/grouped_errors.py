"""What is parked or dead by its error: how often lately, within several windows that end now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, case, func, literal, select

from ..database.delivery_filter import Filter
from ..database.dialects.lookup import dialect_of
from ..database.tables import dead, parked
from .groups import kind
from .times import utc

MOST = 50_000
"""Deliveries that are looked at, the newest first: what is older changes little in what happens now."""


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Deliveries that say the same. ``counts`` are those within each window; ``reason`` is why they are dead, or the
    state of what is parked; ``error`` is the first line of theirs. Times are aware, in UTC."""

    counts: Sequence[int]
    handler: str
    signal: str
    reason: str
    wait_signal: str | None
    error: str | None
    first_at: datetime
    last_at: datetime
    example: str

    @property
    def lacking(self) -> str:
        """What they do not have, with commas."""
        said = {"handler": self.handler, "signal": self.signal, "error": self.error}
        return ",".join(name for name, value in said.items() if not value)


class ErrorGroups(NamedTuple):
    """The groups, the most frequent of the longest window first. ``is_cut``: there were more deliveries in that window
    than were looked at."""

    groups: Sequence[ErrorGroup]
    is_cut: bool


def error_groups(
    db: Connection, table: Table, wanted: Filter, windows: Sequence[float], now: float
) -> ErrorGroups:
    """The groups of what the filter finds in `parked` or `dead`. ``windows`` are in seconds, the longest last; ``now``
    is in seconds since the epoch."""
    moment = parked.c.parked_at if table is parked else dead.c.died_at
    looked_at = (
        select(
            table.c.handler,
            table.c.signal,
            _reason(table).label("reason"),
            table.c.wait_signal,
            dialect_of(db).first_line(table.c.error).label("line"),
            table.c.event_id,
            moment.label("moment"),
        )
        .where(*wanted.conditions(table), moment >= now - windows[-1])
        .order_by(table.c.id.desc())
        .limit(MOST)
        .subquery()
    )
    same = [looked_at.c[name] for name in ("handler", "signal", "reason", "wait_signal", "line")]
    counts = [func.sum(case((looked_at.c.moment >= now - window, 1), else_=0)) for window in windows]
    query = select(
        *same,
        func.min(looked_at.c.moment).label("first"),
        func.max(looked_at.c.moment).label("last"),
        func.max(looked_at.c.event_id).label("example"),
        *counts,
    ).group_by(*same)
    return _merged(db.execute(query).all(), len(windows))


def _reason(table: Table) -> Any:
    if table is dead:
        return dead.c.reason
    waiting = case((parked.c.wait_signal.is_not(None), literal("waiting")), else_=literal("behind"))
    return case((parked.c.due_at.is_not(None), literal("due")), else_=waiting)


def _merged(rows: Sequence[Any], windows: int) -> ErrorGroups:
    """Those whose reasons are different in a number or a time only are one."""
    merged: dict[tuple[str | None, ...], list[Any]] = {}
    for row in rows:
        merged.setdefault((row.handler, row.signal, kind(row.reason), row.wait_signal, row.line), []).append(
            row
        )
    groups = [_group(ours, windows) for ours in merged.values()]
    groups.sort(key=lambda group: (-group.counts[-1], group.handler, group.reason, group.error or ""))
    return ErrorGroups(groups, sum(group.counts[-1] for group in groups) >= MOST)


def _group(rows: Sequence[Any], windows: int) -> ErrorGroup:
    one = rows[0]
    return ErrorGroup(
        counts=[sum(row[-windows + n] for row in rows) for n in range(windows)],
        handler=one.handler,
        signal=one.signal,
        reason=kind(one.reason),
        wait_signal=one.wait_signal,
        error=one.line,
        first_at=utc(min(row.first for row in rows)),
        last_at=utc(max(row.last for row in rows)),
        example=max(row.example for row in rows),
    )
