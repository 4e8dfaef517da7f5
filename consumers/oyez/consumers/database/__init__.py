"""Oyez's tables and the statements over them: one statement a table and a batch, never one an event."""

from .engine import Database, DatabaseAway, DatabaseError, make_engine
from .tables import metadata

__all__ = ["Database", "DatabaseAway", "DatabaseError", "make_engine", "metadata"]
