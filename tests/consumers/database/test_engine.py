"""Engines, transactions and their retries."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from consumers.pipeline import effects, note, one_line
from oyez.consumers.database import Database, DatabaseAway, DatabaseError, make_engine
from oyez.consumers.database.engine import DatabaseRefuses


@pytest.fixture
def engine(pipeline_database: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_database)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("mysql://u:secret@host/db", ("mysql", "PostgreSQL and SQLite")),
        ("no url, secret", ("OYEZ_DATABASE", "cannot be read")),
        ("", ("OYEZ_DATABASE", "cannot be read", "write it as")),
        ("postgresql://u:secret@host:port/db", ("OYEZ_DATABASE", "cannot be read")),
        ("postgresql+nothing://u:secret@host/db", ("OYEZ_DATABASE", "nothing")),
        ("postgresql+asyncpg://u:secret@host/db", ("asyncpg", "postgresql+psycopg://")),
        ("sqlite+aiosqlite:///x.db", ("aiosqlite", "sqlite:///")),
        ("postgres://u:secret@host/db", ("write postgresql+psycopg:// instead of postgres://",)),
        ("Postgres://u:secret@host/db", ("write postgresql+psycopg:// instead of Postgres://",)),
        ("pgsql://u:secret@host/db", ("write postgresql+psycopg:// instead of pgsql://",)),
        ("sqlite3:///x.db", ("write sqlite:/// instead of sqlite3://",)),
        ("sqlite://shop/x.db", ("OYEZ_DATABASE", "cannot be read", "sqlite:///")),
        ("'postgresql+psycopg://u:secret@host/db'", ("begins or ends with a quote",)),
        ('"sqlite:///secret.db"', ("begins or ends with a quote",)),
        ("postgresql+psycopg://u:secret@host/db\n", ("begins or ends with", "a line break")),
        ("postgresql+psycopg://u@host:secret/db", ("port is no number", "%40")),
        ("postgresql+psycopg://u:p@secret@host/db", ("an @ in its host", "%40")),
        ("jdbc:postgresql://u:secret@host/db", ("cannot be read", "write it as postgresql+psycopg://")),
    ],
)
def test_addresses_that_will_not_do(url: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(DatabaseError) as caught:
        make_engine(url)
    assert "secret" not in one_line(caught.value, *parts)


@pytest.mark.parametrize(
    ("url", "missing"),
    [("postgresql+psycopg://u:secret@h/d", "psycopg"), ("postgresql+psycopg2://u:secret@h/d", "psycopg2")],
)
def test_a_missing_driver(url: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *given: Any, **options: Any) -> Any:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return known(name, *given, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DatabaseError) as caught:
        make_engine(url)
    assert "secret" not in one_line(caught.value, f"driver {missing} is not installed", "oyez[postgres]")
    if missing != "psycopg":
        one_line(caught.value, "postgresql+psycopg://")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_sqlite_is_set_up(journal: str, sqlite: str) -> None:
    engine = make_engine(sqlite, sqlite_journal=journal)
    with engine.connect() as db:
        assert db.execute(text("PRAGMA journal_mode")).scalar() == journal
        assert db.execute(text("PRAGMA busy_timeout")).scalar() == 50
    engine.dispose()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_an_sqlite_file_may_be_taken_as_it_is(journal: str, sqlite: str) -> None:
    for said in (journal, None):
        engine = make_engine(sqlite, sqlite_journal=said)
        with engine.begin() as db:
            db.execute(text("CREATE TABLE IF NOT EXISTS t (n)"))
            assert db.execute(text("PRAGMA journal_mode")).scalar() == journal
        engine.dispose()


def test_a_transaction_is_committed_or_rolled_back(engine: Engine) -> None:
    database = Database(engine)
    with database.transaction() as db:
        note(db, "kept", 1)
    with pytest.raises(DBAPIError), database.transaction() as db:
        note(db, "undone", 2, None)  # type: ignore[arg-type]
    with database.reading() as reader:
        assert list(reader.execute(effects.select()).scalars("n")) == [1]


def test_sqlite_has_one_writer_from_the_start(pipeline_sqlite: str) -> None:
    engine = make_engine(pipeline_sqlite)
    with (
        Database(engine).transaction(),
        pytest.raises(DBAPIError, match="locked"),
        Database(engine).transaction(),
    ):
        pass
    engine.dispose()


def test_repeat_waits_for_another_writer(pipeline_sqlite: str) -> None:
    engine = make_engine(pipeline_sqlite)
    with engine.connect():
        pass
    other = sqlite3.connect(pipeline_sqlite.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            other.execute("COMMIT")

    Database(engine, sleep=sleep, jitter=lambda: 0.5).repeat(lambda db: note(db, "done", 1))
    assert slept == [0.017] * 3
    with engine.connect() as db:
        assert list(db.execute(effects.select()).scalars("n")) == [1]
    other.close()
    engine.dispose()


def test_repeat_is_not_patient_for_ever(pipeline_sqlite: str) -> None:
    engine = make_engine(pipeline_sqlite)
    with engine.connect():
        pass
    other = sqlite3.connect(pipeline_sqlite.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 4.0

    with pytest.raises(DatabaseAway) as caught:
        Database(engine, sleep=sleep, clock=lambda: now[0], timeout=10.0).repeat(
            lambda db: note(db, "done", 1)
        )
    one_line(caught.value, "busy for 12 s", "database is locked")
    assert now[0] == 12.0
    other.close()
    engine.dispose()


def test_repeat_raises_what_is_no_conflict(engine: Engine) -> None:
    slept: list[float] = []
    with pytest.raises(DatabaseRefuses, match="nowhere"):
        Database(engine, sleep=slept.append).repeat(lambda db: db.execute(text("SELECT * FROM nowhere")))
    assert slept == []


def test_a_connection_is_given_back_as_it_was(pipeline_postgres: str) -> None:
    engine = create_engine(pipeline_postgres, isolation_level="REPEATABLE READ", pool_size=1, max_overflow=0)
    shown = text("SHOW transaction_isolation")
    with Database(engine).transaction() as db:
        assert db.execute(shown).scalar() == "read committed"
    with engine.connect() as plain:
        assert plain.execute(shown).scalar() == "repeatable read"
    with Database(engine).reading() as reader:
        assert reader.execute(shown).scalar() == "read committed"
    with engine.connect() as plain:
        assert plain.execute(shown).scalar() == "repeatable read"
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://u:secret@127.0.0.1:1/none", "sqlite:////no/such/folder/x.db"]
)
def test_a_database_that_is_away(url: str) -> None:
    engine = make_engine(url)
    database = Database(engine)
    for opened in (database.transaction, database.reading):
        with pytest.raises(DatabaseAway) as caught, opened():
            pass
        assert "secret" not in one_line(caught.value, "database")
    engine.dispose()


def test_several_processes_that_change_the_journal_at_once_all_get_it(sqlite: str) -> None:
    """MOCK of a connection: which of two is refused, and when, is SQLite's affair."""
    from oyez.consumers.database.dialects.sqlite import _set_journal

    class Refused:
        left = 3

        def execute(self, statement: str) -> None:
            self.left -= 1
            if self.left >= 0:
                raise sqlite3.OperationalError("database is locked")

    refused = Refused()
    _set_journal(refused, "wal")
    assert refused.left == -1
