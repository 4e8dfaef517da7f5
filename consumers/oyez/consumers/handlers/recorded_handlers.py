"""Which group each handler is in, kept in the database: a handler that moved would start again from nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from ..database import renaming
from ..database.dialects.dialect import Dialect
from ..database.dialects.lookup import dialect_of
from ..database.tables import handler, pause, position
from .application import Application, StartError
from .registry import Handler

UNREGISTERED_AFTER = 600.0
"""Seconds after which a handler counts as unregistered that no process of its application has had."""


def register(db: Connection, application: Application, now: float) -> None:
    """Record the handlers' groups; raises `StartError` if one has changed its group."""
    known = _known(db, application.name)
    for one in application.handlers:
        before = known.get(one.name)
        if before is not None and before != one.group:
            raise StartError(
                f"{one.name} was in the group {before} and is in {one.group} now: it would read everything again "
                f"and leave what is parked behind; run: oyez group rename {before} {one.group}"
            )
    see(db, application.name, application.handlers, now)


def see(db: Connection, app: str, handlers: Iterable[Handler], now: float) -> None:
    """Record that a process has these handlers."""
    rows = [
        {"app": app, "handler": one.name, "group_name": one.group, "seen_at": now, "lanes": one.concurrency}
        for one in handlers
    ]
    db.execute(_see(dialect_of(db)), sorted(rows, key=itemgetter("handler")))


def unregistered(db: Connection, application: Application, now: float) -> frozenset[str]:
    """The handlers that this version of the application does not have, and that no other one has had for a while."""
    known = {one.name for one in application.handlers}
    recorded = select(handler.c.handler).where(
        handler.c.app == application.name, handler.c.seen_at < now - UNREGISTERED_AFTER
    )
    return frozenset(set(db.execute(recorded).scalars()) - known)


def left_behind(db: Connection) -> set[tuple[str, str]]:
    """The (app, handler) of those that no process has had for a while, though some had others of their application."""
    newest = select(handler.c.app, func.max(handler.c.seen_at).label("at")).group_by(handler.c.app).subquery()
    query = select(handler.c.app, handler.c.handler).join_from(
        handler,
        newest,
        (handler.c.app == newest.c.app) & (handler.c.seen_at < newest.c.at - UNREGISTERED_AFTER),
    )
    return {(app, name) for app, name in db.execute(query)}


def groups_of_others(db: Connection, app: str) -> list[tuple[str, str]]:
    """The (app, group) of the other applications, sorted."""
    theirs = select(handler.c.app, handler.c.group_name).where(handler.c.app != app).distinct()
    return sorted((one, group) for one, group in db.execute(theirs))


def in_lanes(db: Connection) -> set[tuple[str, str]]:
    """The (app, handler) of those that run in lanes."""
    query = select(handler.c.app, handler.c.handler).where(handler.c.lanes.is_not(None))
    return {(app, name) for app, name in db.execute(query)}


def has_positions(engine: Engine, group: str) -> bool:
    """Whether a group keeps its positions in this database.

    An at-least-once group, which takes no epochs, only has there where it began; its offsets are in Kafka.
    """
    with engine.connect() as db:
        taken = select(position.c.position).where(position.c.group_name == group, position.c.epoch > 0)
        return db.execute(taken.limit(1)).first() is not None


def has_handlers(engine: Engine, group: str) -> bool:
    """Whether a handler is recorded in a group."""
    with engine.connect() as db:
        found = db.execute(select(handler.c.handler).where(handler.c.group_name == group).limit(1))
        return found.first() is not None


def require_free(db: Connection, old: str, new: str) -> None:
    """Raise `StartError` if the group ``new``, which ``old`` is to become, has positions of its own."""
    taken = db.execute(select(position.c.position).where(position.c.group_name == new).limit(1)).first()
    if taken is not None:
        raise StartError(
            f"the group {new} has positions of its own, so {old} cannot become it; "
            f"to begin anew there, give the handlers another name="
        )


def rename_group(db: Connection, app: str, old: str, new: str) -> int:
    """Give all of a group, from its positions to its dead letters, to another name; returns its number of handlers.

    ``old`` and ``new`` are full names; 0 says that nothing was ever in ``old``. Raises `StartError` if the new
    group has positions of its own.
    """
    require_free(db, old, new)
    renaming.give(db, old, new)
    db.execute(delete(pause).where(pause.c.app == app, pause.c.group_name == new))
    db.execute(update(pause).where(pause.c.app == app, pause.c.group_name == old).values(group_name=new))
    changed = db.execute(
        update(handler).where(handler.c.app == app, handler.c.group_name == old).values(group_name=new)
    )
    return int(changed.rowcount)


def _known(db: Connection, app: str) -> dict[str, str]:
    """The group of each handler recorded for an application."""
    recorded = select(handler.c.handler, handler.c.group_name).where(handler.c.app == app)
    return {row.handler: row.group_name for row in db.execute(recorded)}


@cache
def _see(dialect: Dialect) -> Any:
    # Several processes of an application may start at the same time.
    insert = dialect.insert
    new = insert(handler)
    return new.on_conflict_do_update(
        index_elements=[handler.c.app, handler.c.handler],
        set_={"seen_at": new.excluded.seen_at, "lanes": new.excluded.lanes},
    )
