"""Which group each handler is in, kept in the database: a handler that moved would start again from nothing."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from .application import Application, StartError
from .database.tables import dead, handler, inbox, parked, position


def register(db: Connection, application: Application) -> None:
    """Record the handlers' groups; raises `StartError` if one has changed its group."""
    known = dict(
        db.execute(
            select(handler.c.handler, handler.c.group_name).where(handler.c.app == application.name)
        ).all()
    )
    for one in application.handlers:
        before = known.get(one.name)
        if before is not None and before != one.group:
            raise StartError(
                f"{one.name} was in the group {before} and is in {one.group} now: it would read everything again "
                f"and leave what is parked behind; run: oyez group rename {before} {one.group}"
            )
    new = [
        {"app": application.name, "handler": one.name, "group_name": one.group}
        for one in application.handlers
        if one.name not in known
    ]
    if new:
        db.execute(insert(handler), new)


def rename_group(db: Connection, app: str, old: str, new: str) -> int:
    """Give a group's positions, inbox, parked and dead shares to another name; returns its number of handlers.

    Raises `StartError` if the new group has positions of its own.
    """
    taken = db.execute(select(position.c.position).where(position.c.group_name == new).limit(1)).first()
    if taken is not None:
        raise StartError(f"the group {new} has positions of its own; a group cannot be joined to it")
    for table in (position, inbox, parked, dead):
        db.execute(update(table).where(table.c.group_name == old).values(group_name=new))
    changed = db.execute(
        update(handler).where(handler.c.app == app, handler.c.group_name == old).values(group_name=new)
    )
    return int(changed.rowcount)


def forget(db: Connection, app: str, name: str) -> None:
    """Forget a handler that is gone."""
    db.execute(delete(handler).where(handler.c.app == app, handler.c.handler == name))
