"""Before dead deliveries are retried: for how many of them have newer events of their key gone on in the meantime?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, exists, func, select, tuple_

from ..database.delivery_filter import Filter
from ..database.tables import dead, inbox, parked

_BY_TIME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Overtaken:
    """Counts of dead deliveries whose order is kept by their key.

    ``parked``: a newer one of their key is parked; they go before it. ``handled``: their group has handled newer events
    of their source since. Which keys those had is not recorded, so that this is the most that it can be.
    """

    parked: int
    handled: int


def overtaken(db: Connection, wanted: Filter) -> Overtaken:
    """Ask for the dead deliveries that the filter finds."""
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
    return Overtaken(ahead, sum(_handled_since(db, ordered, line) for line in lines))


def _handled_since(db: Connection, ordered: list[Any], line: Any) -> int:
    """How many of one handler's dead deliveries of one source are older than what it has handled."""
    newest = _newest_handled(db, line)
    if newest is None:
        return 0
    # Ids of ours are ordered by time; of others' we know when they were taken.
    older = dead.c.event_id < newest.event_id if _is_by_time(line) else dead.c.parked_at <= newest.taken_at
    ours = (
        dead.c.group_name == line.group_name,
        dead.c.handler == line.handler,
        dead.c.source == line.source,
    )
    count = select(func.count()).select_from(dead).where(*ordered, *ours, dead.c.app == line.app, older)
    return int(db.execute(count).scalar_one())


def _newest_handled(db: Connection, line: Any) -> Any:
    def kept(table: Table) -> Any:
        return exists().where(
            table.c.app == line.app,
            table.c.source == inbox.c.source,
            table.c.event_id == inbox.c.event_id,
            table.c.handler == line.handler,
        )

    query = select(inbox.c.event_id, inbox.c.taken_at).where(
        inbox.c.group_name == line.group_name, inbox.c.source == line.source, ~kept(parked), ~kept(dead)
    )
    newest = inbox.c.event_id if _is_by_time(line) else inbox.c.taken_at
    return db.execute(query.order_by(newest.desc()).limit(1)).first()


def _is_by_time(line: Any) -> bool:
    return _BY_TIME.fullmatch(line.first) is not None
