"""Sources whose events are not in the partitions that their keys belong to, as workers have found them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .tables import misplaced

FORGOTTEN = 7 * 86_400.0  # s; after which a source that was set right is not shown any more


@dataclass(frozen=True, slots=True)
class Misplaced:
    """How many of the events looked at were elsewhere, with the last of them: its key, the partition in which it was,
    and the one to which it ``belongs``. ``advice`` says how the source seems to choose, and what corrects that."""

    topic: str
    source: str
    count: int
    key: str
    partition: int
    belongs: int
    advice: str = ""


def add(db: Connection, group: str, found: Collection[Misplaced], now: float) -> None:
    """Count what a worker has found, and forget what nobody has found for long."""
    rows = [{"group_name": group, "seen_at": now, **asdict(one)} for one in found]
    rows.sort(key=lambda row: (row["topic"], row["source"]))
    if rows:
        db.execute(_add(dialect_of(db)), rows)
        old = (misplaced.c.group_name == group) & (misplaced.c.seen_at < now - FORGOTTEN)
        db.execute(delete(misplaced).where(old))


def read(db: Connection) -> dict[str, list[Misplaced]]:
    """What is known, by group."""
    found: dict[str, list[Misplaced]] = {}
    columns = [misplaced.c[name] for name in Misplaced.__dataclass_fields__]
    order = (misplaced.c.group_name, misplaced.c.topic, misplaced.c.source)
    for group, *said in db.execute(select(misplaced.c.group_name, *columns).order_by(*order)):
        found.setdefault(group, []).append(Misplaced(*said))
    return found


@cache
def _add(dialect: Dialect) -> Any:
    new = dialect.insert(misplaced)
    taken = {name: new.excluded[name] for name in ("key", "partition", "belongs", "advice", "seen_at")}
    return new.on_conflict_do_update(
        index_elements=[misplaced.c.group_name, misplaced.c.topic, misplaced.c.source],
        set_={"count": misplaced.c.count + new.excluded.count, **taken},
    )
