"""Databases of tests: a SQLite file with Oyez's tables, or one that a test has named."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, delete, func, select

from oyez.producers.passwords import shown
from oyez.schemas import OyezError

from ..database import metadata
from ..database.engine import Database, make_engine
from ..database.migrating import upgrade


class NotForTests(OyezError):
    """A database has something of Oyez's that no test has put there; the message names it."""


@contextmanager
def fresh_file() -> Iterator[str]:
    """The URL of a SQLite file with empty tables, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="oyez-kit-") as folder:
        file = Path(folder) / "oyez.db"
        file.write_bytes(_empty())
        yield f"sqlite:///{file}"


@contextmanager
def lent(engine: Engine) -> Iterator[None]:
    """A database that others have too: it gets Oyez's tables, and what is in them afterwards is deleted. Raises
    `NotForTests` if there is anything in them before."""
    upgrade(engine)
    database = Database(engine)
    with database.reading() as db:
        for table in metadata.sorted_tables:
            if db.execute(select(func.count()).select_from(table)).scalar_one():
                raise NotForTests(
                    f"the database {shown(engine.url)} has rows in {table.name}, which would be deleted after the "
                    f"test: name one that only tests use, or empty that table"
                )
    try:
        yield
    finally:
        empty(database)


def empty(database: Database) -> None:
    """Delete what is in Oyez's tables."""
    with database.transaction() as db:
        for table in reversed(metadata.sorted_tables):
            db.execute(delete(table))


@cache
def _empty() -> bytes:
    """A SQLite file with Oyez's tables and nothing in them: to make one takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="oyez-kit-") as folder:
        file = Path(folder) / "oyez.db"
        engine = make_engine(f"sqlite:///{file}", sqlite_journal="delete")
        upgrade(engine)
        engine.dispose()
        return file.read_bytes()
