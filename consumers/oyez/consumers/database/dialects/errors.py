"""What is wrong with a database as it is set."""

from __future__ import annotations

from oyez.schemas import OyezError


class DatabaseError(OyezError):
    """The database cannot be used as it is set."""
