"""Connection poolers between Oyez and PostgreSQL, such as PgBouncer, and what must not be asked of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL

from .errors import DatabaseError

POOLED = "oyez_pooled"
"""Noted in a connection's ``info`` when a pooler is at its other end."""
THRESHOLD = "prepare_threshold"


def is_behind_a_pooler(connection: Any, cursor: Any) -> bool:
    """Whether the process that answers is another one than the one that was connected to: a pooler has its own numbers,
    which it needs to cancel statements."""
    cursor.execute("SELECT pg_backend_pid()")
    (answering,) = cursor.fetchone()
    return bool(answering != connection.info.backend_pid)


def without_threshold(url: URL) -> tuple[URL, dict[str, int | None]]:
    """The address without ``prepare_threshold``, which an address can only say as a text, and what it said: after how
    many executions the driver prepares a statement; None for 0 and ``none``, which mean never.

    Raises `DatabaseError` for what is no such number.
    """
    said = url.query.get(THRESHOLD)
    if said is None:
        return url, {}
    text = said if isinstance(said, str) else said[-1]
    if text.lower() == "none":
        return url.difference_update_query([THRESHOLD]), {THRESHOLD: None}
    if not text.isdecimal():
        raise DatabaseError(
            f"the database address (OYEZ_DATABASE) says {THRESHOLD}={text}; write a number of executions after which "
            f"a statement is prepared, or 0 for never"
        )
    return url.difference_update_query([THRESHOLD]), {THRESHOLD: int(text) or None}
