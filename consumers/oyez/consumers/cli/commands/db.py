"""`oyez db upgrade` and `oyez db check`."""

from __future__ import annotations

import typer

from ...database import migrating
from ...database.migrating import MigrationNeeded
from ..common import output, probes
from ..common.exits import CheckFailed
from ..common.options import Database, settings_from


def upgrade(context: typer.Context, database: Database = None) -> None:
    """Make Oyez's tables, or bring them up to date."""
    engine = probes.reached(settings_from(context, database=database))
    try:
        before = migrating.current(engine)
        migrating.upgrade(engine)
    finally:
        engine.dispose()
    done = "was up to date" if before == migrating.HEAD else f"is now at revision {migrating.HEAD}"
    output.note(f"the database {probes.hidden(engine.url)} {done}")


def check(context: typer.Context, database: Database = None) -> None:
    """Check that the database answers and has Oyez's tables as they are now; exit code 3 if not."""
    settings = settings_from(context, database=database)
    try:
        probes.database(settings)
    except MigrationNeeded as error:
        raise CheckFailed(str(error)) from None
    output.note(f"the database {probes.hidden(settings.database)} is up to date")
