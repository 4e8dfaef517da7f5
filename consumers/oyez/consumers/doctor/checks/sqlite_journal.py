"""Can SQLite's journal corrupt the file? In WAL mode two connections may, up to 3.51.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...database.dialects.lookup import dialect_of
from ..check import Check, Finding, not_checked, ok
from ..setup import Setup

FIXED = (3, 51, 3)
"""The first version without the WAL-reset race, which is in all before it since 3.7.0."""
BACKPORTED: Mapping[tuple[int, ...], int] = {(3, 44): 6, (3, 50): 7}
"""Older lines that have the repair too, from these patches on."""


def is_repaired(version: tuple[int, ...]) -> bool:
    """Whether a version of SQLite's does without the race."""
    patch = BACKPORTED.get(version[:2])
    return version >= FIXED or (patch is not None and version[2] >= patch)


def look(setup: Setup) -> Sequence[Finding]:
    """What runs is asked, not what is set."""
    with setup.connected() as db:
        journal = dialect_of(db).journal(db)
    if journal is None:
        return not_checked("the database keeps its journal itself")
    version = tuple(int(part) for part in setup.engine.dialect.server_version_info or ())
    named = f"SQLite {'.'.join(map(str, version))} with the journal mode {journal}"
    if journal != "wal" or is_repaired(version):
        return ok(named)
    return [
        Finding(
            "warning",
            f"{named} has a rare race that can corrupt the file",
            "use SQLite 3.51.3 or later, or set OYEZ_SQLITE_JOURNAL=delete, and start all workers anew",
        )
    ]


CHECK = Check("SQLite's journal", ("database",), look)
