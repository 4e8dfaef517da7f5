"""Oyez's tables and the statements over them: one statement a table and a batch, never one an event."""

from . import journal_table, operation_table, sample_table, tables  # noqa: F401 # they fill the metadata
from .dialects.errors import DatabaseError
from .engine import Database, DatabaseAway, make_engine
from .metadata import metadata

__all__ = ["Database", "DatabaseAway", "DatabaseError", "make_engine", "metadata"]
