"""Oyez's tables by their names in a database."""

from sqlalchemy import Engine, MetaData, Table

from oyez.consumers.database import Database, metadata

NAMES = sorted(table.name for table in metadata.sorted_tables)


def table_named(name: str) -> Table:
    """One of Oyez's tables, by its name without the prefix."""
    (found,) = (table for table in metadata.sorted_tables if table.name == f"oyez_{name}")
    return found


def knowing_the_tables(engine: Engine) -> Engine:
    """An application's engine, on whose connections a test may use Oyez's tables."""
    Database(engine)
    return engine


def tables_in(schema: str | None) -> MetaData:
    """Copies of Oyez's tables that name a schema."""
    there = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(there, schema=schema)  # type: ignore[arg-type] # None is what a table without one has
    return there
