"""What a database says, for messages."""

from __future__ import annotations

from sqlalchemy.exc import StatementError

_QUESTION = "Is the server running on that host and accepting TCP/IP connections?"
"""libpq asks it of whoever could not connect. What to do is said in another way, once."""


def cause_of(error: BaseException) -> BaseException:
    """What the database's driver raised, where SQLAlchemy has wrapped it; else the error itself."""
    return (error.orig if isinstance(error, StatementError) else None) or error


def one_line(error: BaseException) -> str:
    """An error's text in one line; for a database's error the database's own words."""
    return " ".join(str(cause_of(error)).replace(_QUESTION, "").split())
