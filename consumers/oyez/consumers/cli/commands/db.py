"""`oyez db upgrade` and `oyez db check`."""

from __future__ import annotations

from oyez.producers.passwords import shown

from ...database import migrating
from ...database.migrating import MigrationNeeded
from ...run.engines import journaling_engine_from
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.errors import CheckFailed
from ..common.options import settings_by
from ..common.progress import progress


@taking(settings_by("database"))
def upgrade(settings: ListenSettings) -> None:
    """Make Oyez's tables, or bring them up to date."""
    engine = probes.reached(settings, journaling_engine_from)
    try:
        before = migrating.current(engine)
        with progress("upgrade", None):
            migrating.upgrade(engine)
    finally:
        engine.dispose()
    done = "was up to date" if before == migrating.HEAD else f"is now at revision {migrating.HEAD}"
    output.note(f"the database {shown(engine.url)} {done}")


@taking(settings_by("database"))
def check(settings: ListenSettings) -> None:
    """Check that the database answers and has Oyez's tables as they are now. Exit code 3 if not."""
    try:
        probes.database(settings)
    except MigrationNeeded as error:
        raise CheckFailed(str(error)) from None
    output.note(f"the database {shown(settings.database)} is up to date")
