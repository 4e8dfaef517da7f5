"""Whether somebody keeps a database from others: a statement or a transaction that is open."""

from __future__ import annotations

import sqlite3

from sqlalchemy import create_engine, make_url, text

OPEN = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' AND xact_start IS NOT NULL"
)


def is_held(url: str) -> bool:
    """Of a file of SQLite, which has to have the journal mode ``delete``: whether it cannot be written at once."""
    address = make_url(url)
    return _is_locked(str(address.database)) if url.startswith("sqlite") else _is_open(url)


def _is_locked(file: str) -> bool:
    db = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return True
    finally:
        db.close()
    return False


def _is_open(url: str) -> bool:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        found = db.execute(OPEN).scalar_one()
    engine.dispose()
    return bool(found)
