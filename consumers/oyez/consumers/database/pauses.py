"""What operators have paused: groups, handlers, keys. A pause that has ended is kept for a while, since what it held up
is younger than it looks."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Double, Text, bindparam, delete, select, update

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .tables import pause

ANY = ""
"""Instead of a group, a handler or a key: it is not narrowed down by that."""


class Scope(NamedTuple):
    """What is paused: a group, a handler, or a key of one of these or of all. One part at least is not `ANY`."""

    group: str = ANY
    handler: str = ANY
    key: str = ANY

    def __str__(self) -> str:
        of = self.group or self.handler
        whole = f"the {'group' if self.group else 'handler'} {of}" if of else "every handler"
        return f"the key {self.key!r} of {whole}" if self.key else whole


class Pause(NamedTuple):
    """A pause. Times are seconds since the epoch; ``resumed_at`` is None as long as it holds."""

    scope: Scope
    since: float
    paused_by: str
    reason: str | None
    resumed_at: float | None

    @property
    def holds(self) -> bool:
        """Whether it has not ended yet."""
        return self.resumed_at is None


_of_app = (
    select(
        pause.c.group_name,
        pause.c.handler,
        pause.c.key,
        pause.c.since,
        pause.c.paused_by,
        pause.c.reason,
        pause.c.resumed_at,
    )
    .where(pause.c.app == bindparam("of_app"))
    .order_by(pause.c.since, pause.c.group_name, pause.c.handler, pause.c.key)
)


def read(db: Connection, app: str) -> list[Pause]:
    """The pauses of an application, those that have ended too; the oldest first."""
    return [Pause(Scope(*row[:3]), *row[3:]) for row in db.execute(_of_app, {"of_app": app})]


def apps(db: Connection) -> list[str]:
    """The applications of which something is paused, or was lately."""
    return list(db.execute(select(pause.c.app).distinct().order_by(pause.c.app)).scalars())


@cache
def _begin(dialect: Dialect) -> Any:
    new = dialect.insert(pause)
    taken = {name: new.excluded[name] for name in ("since", "paused_by", "reason", "resumed_at")}
    return new.on_conflict_do_update(
        index_elements=list(pause.primary_key),
        set_=taken,
        where=pause.c.resumed_at.is_not(None),
    ).returning(pause.c.since)


def begin(db: Connection, app: str, scope: Scope, paused_by: str, reason: str | None, now: float) -> bool:
    """Pause it from now on; False if it is paused already, and stays so as it is."""
    group, handler, key = scope
    row = {"app": app, "group_name": group, "handler": handler, "key": key, "resumed_at": None}
    given = {**row, "since": now, "paused_by": paused_by, "reason": reason}
    return db.execute(_begin(dialect_of(db)), given).first() is not None


_end = (
    update(pause)
    .where(
        pause.c.app == bindparam("of_app"),
        pause.c.group_name == bindparam("of_group", type_=Text),
        pause.c.handler == bindparam("of_handler", type_=Text),
        pause.c.key == bindparam("of_key", type_=Text),
        pause.c.resumed_at.is_(None),
    )
    .values(resumed_at=bindparam("now", type_=Double))
)


def end(db: Connection, app: str, scope: Scope, now: float) -> bool:
    """Let it go on; False if it is not paused."""
    group, handler, key = scope
    given = {"of_app": app, "of_group": group, "of_handler": handler, "of_key": key, "now": now}
    return int(db.execute(_end, given).rowcount) > 0


def forget(db: Connection, app: str, before: float) -> None:
    """Forget the pauses that have ended before then."""
    db.execute(delete(pause).where(pause.c.app == app, pause.c.resumed_at < before))
