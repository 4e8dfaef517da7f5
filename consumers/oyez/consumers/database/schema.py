"""The schema that Oyez's tables are in: it is written into each statement over them when that is compiled.

SQLAlchemy's own ``schema_translate_map`` would do the same, but handlers and applications use it for their tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine

from oyez.producers.outbox import SCHEMA


class SchemaOfTables:
    """Says which schema a table is in, for the statements of one engine. What is not Oyez's says so itself."""

    def __init__(self, dialect: Any, schema: str | None) -> None:
        """``dialect`` is SQLAlchemy's, ``schema`` the one that is set."""
        self.schema = schema
        self._dialect = dialect

    def __call__(self, item: Any) -> str | None:
        said: str | None = item.schema
        return self.place() if said == SCHEMA else said

    def place(self) -> str | None:
        """The schema that is set, or in which a new connection makes tables; None where there are none."""
        usual: str | None = self._dialect.default_schema_name
        return self.schema or usual


def put_tables_in(database: Engine | Connection, schema: str | None) -> None:
    """Let Oyez's tables be in ``schema`` on the connections of this engine, or of this connection's; None: where a new
    connection makes tables. Nothing changes for other tables, and nothing if it was said before."""
    preparer: Any = database.dialect.identifier_preparer
    if not isinstance(preparer.schema_for_object, SchemaOfTables):
        preparer.schema_for_object = SchemaOfTables(database.dialect, schema)


def schema_of(database: Engine | Connection) -> SchemaOfTables:
    """What was said for an engine."""
    preparer: Any = database.dialect.identifier_preparer
    found: SchemaOfTables = preparer.schema_for_object
    return found
