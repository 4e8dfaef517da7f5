"""Statements of Oyez's own that are executed for each event of a lane: they are given to the driver as they are.

What SQLAlchemy does around a statement takes as long as the driver takes to send it and to read the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .dialect import Answer


@lru_cache(256)
def _compiled(dialect: Any, statement: Any) -> tuple[str, Mapping[str, object]] | None:
    """The statement in the driver's words, with the values that it brings itself; None for a driver that takes
    parameters by their places."""
    compiled = statement.compile(dialect=dialect)
    return None if compiled.positional else (str(compiled), compiled.params)


def ask_directly(db: Connection, statement: Any, given: Mapping[str, object]) -> Answer | None:
    """See `Dialect.ask`; None where it cannot be done. Raises what SQLAlchemy would."""
    compiled = _compiled(db.dialect, statement)
    if compiled is None:
        return None
    text, own = compiled
    cursor = db.connection.cursor()
    try:
        cursor.execute(text, {**own, **given})
        return Answer(cursor.fetchall() if cursor.description else (), cursor.rowcount)
    except Exception as error:
        raise _as_sqlalchemys(db, text, given, error) from error
    finally:
        cursor.close()


def _as_sqlalchemys(db: Connection, text: str, given: Mapping[str, object], error: Exception) -> Exception:
    driver: Any = db.dialect.loaded_dbapi
    is_lost = isinstance(error, driver.Error) and db.dialect.is_disconnect(error, db.connection, None)
    if is_lost:
        db.invalidate(error)
    found = DBAPIError.instance(
        text, dict(given), error, driver.Error, connection_invalidated=is_lost, dialect=db.dialect
    )
    return found if isinstance(found, Exception) else error
