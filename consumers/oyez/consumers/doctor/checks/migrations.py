"""Has the database Oyez's tables, as they are now?"""

from __future__ import annotations

from collections.abc import Sequence

from ...database import migrating
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """Raises what is missing."""
    migrating.require(setup.engine)
    return ok(f"the tables are at revision {migrating.HEAD}")


CHECK = Check("migrations", ("database",), look)
