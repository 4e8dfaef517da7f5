"""What Django sets up on a connection to SQLite, on those of Oyez's that lead to the same file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.backends.sqlite3._functions import register

from oyez.producers.django.settings import database_alias

PREPARED = "oyez_django"
"""In the notes of a connection of SQLAlchemy's: whether it is prepared."""


def prepare(driver: Any, record: Any) -> None:
    """SQLAlchemy has made a connection: if it leads to the database that Django has too, foreign keys are checked, and
    Django's functions are there. There are no others that would be in the way."""
    if not isinstance(driver, sqlite3.Connection) or not _is_djangos(driver):
        return
    driver.execute("PRAGMA foreign_keys = ON")
    register(driver)
    record.info[PREPARED] = True


def _is_djangos(driver: sqlite3.Connection) -> bool:
    alias = database_alias()
    connection = None if alias is None else connections[alias]
    if connection is None or connection.vendor != "sqlite":
        return False
    file = next((row[2] for row in driver.execute("PRAGMA database_list") if row[1] == "main"), "")
    name = str(connection.settings_dict["NAME"])
    return Path(file).resolve() == Path(name).resolve() if file else _is_in_memory(name)


def _is_in_memory(name: str) -> bool:
    return name == ":memory:" or "mode=memory" in name
