"""The members of groups that read folders of the spool.

What Kafka's broker keeps for its groups, the database keeps for these. It only deals out work: what keeps two members
from doing the same is the epoch of the position.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .tables import member


def beat(db: Connection, group: str, name: str, now: float) -> None:
    """Note that a member lives."""
    db.execute(_beat(dialect_of(db)), {"group_name": group, "member": name, "seen_at": now})


def forget(db: Connection, group: str, before: float) -> None:
    """Remove members that were last seen before a time."""
    db.execute(delete(member).where(member.c.group_name == group, member.c.seen_at < before))


def leave(db: Connection, group: str, name: str) -> None:
    """Remove a member."""
    db.execute(delete(member).where(member.c.group_name == group, member.c.member == name))


_alive = (
    select(member.c.group_name, member.c.member)
    .where(member.c.seen_at >= bindparam("since"))
    .order_by(member.c.group_name, member.c.member)
)


def alive(db: Connection, since: float) -> dict[str, list[str]]:
    """The members that were seen since a time, by group, in the order of the database."""
    found: dict[str, list[str]] = {}
    for group, name in db.execute(_alive, {"since": since}):
        found.setdefault(group, []).append(name)
    return found


@cache
def _beat(dialect: Dialect) -> Any:
    new = dialect.insert(member)
    return new.on_conflict_do_update(
        index_elements=[member.c.group_name, member.c.member], set_={"seen_at": new.excluded.seen_at}
    )
