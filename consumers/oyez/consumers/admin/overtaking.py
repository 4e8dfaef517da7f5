"""Before dead deliveries are retried: for how many of them have newer events of their key gone on in the meantime?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, func, select, tuple_

from ..database.delivery_filter import Filter
from ..database.dialects.lookup import dialect_of
from ..database.tables import dead, inbox, parked

LOOK = 10_000
"""Rows of the inbox that are read for a source at most: it may have many millions."""
_BY_TIME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Overtaken:
    """Counts of dead deliveries whose order is kept by their key.

    ``parked``: a newer one of their key is parked; they go before it. ``handled``: their group has handled newer events
    of their source since. Which keys those had is not recorded, so that this is the most that it can be. Of ``unknown``
    others it is not known whether it has, since to find out would take too long.
    """

    parked: int
    handled: int
    unknown: int = 0


def overtaken(db: Connection, wanted: Filter) -> Overtaken:
    """Ask for the dead deliveries that the filter finds."""
    dialect_of(db).read_by_index(db)
    ordered = [*wanted.conditions(dead), dead.c.ordered]
    later = exists().where(
        parked.c.app == dead.c.app,
        parked.c.handler == dead.c.handler,
        parked.c.key == dead.c.key,
        parked.c.ordered,
        tuple_(parked.c.rank, parked.c.id) > tuple_(dead.c.rank, dead.c.parked_id),
    )
    ahead = db.execute(select(func.count()).select_from(dead).where(*ordered, later)).scalar_one()
    columns = (dead.c.app, dead.c.group_name, dead.c.handler, dead.c.source)
    first = func.min(dead.c.event_id).label("first")
    lines = db.execute(select(*columns, first).where(*ordered).group_by(*columns)).all()
    handled = unknown = 0
    for line in lines:
        ours = [*ordered, *(column == getattr(line, column.name) for column in columns)]
        newest, is_known = _newest_handled(db, line)
        if newest is not None:
            handled += _count(db, [*ours, _is_older(line, newest)])
        elif not is_known:
            unknown += _count(db, ours)
    return Overtaken(ahead, handled, unknown)


def _count(db: Connection, which: Sequence[Any]) -> int:
    return int(db.execute(select(func.count()).select_from(dead).where(*which)).scalar_one())


def _is_older(line: Any, newest: Any) -> Any:
    """Ids of ours are ordered by time; of others' we know when they were taken."""
    return dead.c.event_id < newest.event_id if _is_by_time(line) else dead.c.parked_at <= newest.taken_at


def _newest_handled(db: Connection, line: Any) -> tuple[Any, bool]:
    """The newest that a handler has handled of a source, if one is found, and whether that is all there is to know.
    By their ids it is among the first that are looked at; where those say nothing of their time, it may be any."""
    is_by_time = _is_by_time(line)
    if not is_by_time and _is_more_than_looked_at(db, line):
        return None, False
    looked = _taken(line).limit(LOOK).subquery("looked")

    def kept(table: Table) -> Any:
        return exists().where(
            table.c.app == line.app,
            table.c.source == line.source,
            table.c.event_id == looked.c.event_id,
            table.c.handler == line.handler,
        )

    latest = looked.c.event_id if is_by_time else looked.c.taken_at
    query = select(looked).where(~kept(parked), ~kept(dead)).order_by(latest.desc()).limit(1)
    newest = db.execute(query).first()
    return newest, newest is not None or not is_by_time or not _is_more_than_looked_at(db, line)


def _is_more_than_looked_at(db: Connection, line: Any) -> bool:
    some = _taken(line).limit(LOOK + 1).subquery("some")
    return int(db.execute(select(func.count()).select_from(some)).scalar_one()) > LOOK


def _taken(line: Any) -> Select[Any]:
    """What a handler's group has taken of a source, in the order of the ids, from the last."""
    query = select(inbox.c.event_id, inbox.c.taken_at)
    ours = query.where(inbox.c.group_name == line.group_name, inbox.c.source == line.source)
    return ours.order_by(inbox.c.event_id.desc())


def _is_by_time(line: Any) -> bool:
    return _BY_TIME.fullmatch(line.first) is not None
