"""Does the database answer, and which one is it?"""

from __future__ import annotations

from collections.abc import Sequence

from oyez.producers.passwords import shown

from ...database import DatabaseAway
from ...database.dialects.lookup import dialect_named
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """A file that is not there is not made by looking."""
    address = setup.engine.url
    dialect = dialect_named(setup.engine.dialect.name)
    if dialect.is_missing(address):
        return [Finding("wrong", f"the database {shown(address)} does not exist", "run: oyez db upgrade")]
    try:
        with setup.connected() as db:
            pooler = ", behind a connection pooler" if dialect.is_pooled(db) else ""
    except DatabaseAway as error:
        return [Finding("wrong", f"{shown(address)}: {error}", dialect.away_hint)]
    version = ".".join(map(str, setup.engine.dialect.server_version_info or ()))
    return ok(f"{dialect.title} {version} at {shown(address)}{pooler}")


CHECK = Check("database", ("settings",), look)
