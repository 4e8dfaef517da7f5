"""How many connections to the database the workers need, and what they do where there are fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import NullPool

from oyez.producers.loggers import logger_named

from ..database.engine import Database

log = logger_named("oyez.listen")

KEEP: Mapping[str, Any] = {"pool_size": 1, "max_overflow": 4}
"""A worker keeps one connection; the relay of the outbox has another one while both are at work."""
GIVE_BACK: Mapping[str, Any] = {"poolclass": NullPool}


class Connections(NamedTuple):
    """How a worker deals with connections: SQLAlchemy's options for its pool, and whether it keeps one to hear what is
    released; otherwise it looks for that."""

    pool: Mapping[str, Any] = KEEP
    hears: bool = True


def connections(
    database: Database, workers: int, processes: int | None = None, *, direct: bool, lanes: int = 0
) -> Connections:
    """What there is for so many workers in so many processes, one each if that is None; it is said in the log. A
    process hears for all of its workers, and relays. ``direct``: an address beside a pooler is set; ``lanes``:
    how many connections their lanes may use. Raises `DatabaseAway`."""
    with database.reading() as db:
        is_pooled, free = database.dialect.is_pooled(db), database.dialect.free_connections(db)
    if is_pooled:
        how = (
            "is heard over OYEZ_DATABASE_DIRECT"
            if direct
            else "is looked for; OYEZ_DATABASE_DIRECT would be faster"
        )
        log.info(
            "the database is behind a connection pooler: no statements are prepared, workers give each connection back "
            "after each transaction, and what is released %s",
            how,
        )
        return Connections(GIVE_BACK, hears=direct)
    if free is None:
        return Connections()
    each = workers if processes is None else min(processes, workers)
    need = f"{workers} workers need {workers + each} connections to the database, and {each} more to relay the outbox"
    if lanes:
        need += f"; their lanes may use {lanes} at once"
    if free >= workers + each + lanes:
        log.info("%s; %d are free", need, free)
        return Connections()
    log.warning("%s; only %d are free: they get on with those, and look for what is released", need, free)
    return Connections(KEEP if free >= workers else GIVE_BACK, hears=False)
