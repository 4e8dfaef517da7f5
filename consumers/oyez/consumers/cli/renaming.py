"""`oyez group rename`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from sqlalchemy import Connection

from ..database import Database as Transactions
from ..registration import rename_group
from . import output, probes
from .exits import NotFound, UsageProblem
from .options import Database, settings_from


def rename(
    context: typer.Context,
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The group's full name, such as shop.page.viewed.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new full name, such as shop.visits.")],
    database: Database = None,
) -> None:
    """Give a group's positions and all that waits for it to another name. Stop its workers first."""
    app = old.partition(".")[0]
    for name in (old, new):
        if name.partition(".")[0] != app or not name.partition(".")[2]:
            raise UsageProblem(f"{name}: give full names of groups of one application, such as {app}.visits")
    if old == new:
        raise UsageProblem(f"{old} and {new} are the same name")
    settings = settings_from(context, database=database)
    probes.database(settings)
    engine = probes.reached(settings)
    try:
        handlers = Transactions(engine).repeat(partial(_renamed, app=app, old=old, new=new))
    finally:
        engine.dispose()
    output.note(f"{old} is {new} now; {handlers} handler{'' if handlers == 1 else 's'}")


def _renamed(db: Connection, app: str, old: str, new: str) -> int:
    handlers = rename_group(db, app, old, new)
    if not handlers:
        raise NotFound(f"no handler has ever been in the group {old} in this database; nothing was changed")
    return handlers
