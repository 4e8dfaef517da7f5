"""From errors to pages of one line."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from oyez.producers.loggers import logger_named
from oyez.schemas import OyezError

from ...cli.common import exits
from ...cli.common.errors import UsageProblem
from ...cli.common.reporting import code_of, line_of
from ...database.dialects.lookup import dialect_named
from ...database.engine import DatabaseRefuses
from ...database.migrating import require

log = logger_named("oyez.dashboard")

STATUS = {exits.UNREACHABLE: 503, exits.NOT_FOUND: 404}


class Problem(NamedTuple):
    """What is wrong, in one line, as a page says it."""

    status: int
    line: str


def problem_of(error: Exception, engine: Engine) -> Problem:
    """What a page says of an error. One that nobody has thought of is logged whole, and told without what it says,
    which may be anything."""
    if isinstance(error, PoolTimeout):
        return Problem(503, "too many pages are asked for at once; try again in a moment")
    if isinstance(error, DBAPIError | DatabaseRefuses) and (needed := _migration_needed(engine)) is not None:
        return Problem(503, needed)
    if isinstance(error, DBAPIError) and dialect_named(engine.dialect.name).took_too_long(error):
        return Problem(503, "the database took too long to find that; choose less of it")
    if isinstance(error, UsageProblem):
        return Problem(400, line_of(error))
    if isinstance(error, OyezError | DBAPIError):
        return Problem(STATUS.get(code_of(error), 500), line_of(error))
    log.error("a page of the dashboard has failed", exc_info=error)
    return Problem(500, f"the dashboard has failed ({type(error).__name__}); its log says more")


def line_of_any(error: Exception) -> str:
    """One line about an error of what goes on by itself; one that nobody has thought of is logged whole."""
    if not isinstance(error, OyezError | DBAPIError):
        log.error("an operation of the dashboard has failed", exc_info=error)
        return f"it has failed ({type(error).__name__}); the log of the dashboard says more"
    return line_of(error)


def _migration_needed(engine: Engine) -> str | None:
    """Whether a statement was refused because tables are missing, or of another version."""
    try:
        require(engine)
    except OyezError as error:
        return str(error)
    return None
