"""Tests of Django's that commit: Oyez's tables are emptied after each of them, as Django empties its own."""

from __future__ import annotations

import unittest

from ..database import Database
from ..run.engines import engine_from
from ..testing.databases import empty
from .upgrading import listening_settings


def empty_tables() -> None:
    """Delete all that stands in Oyez's tables, in the database that is set: for tests alone. SettingsError: it is set
    wrongly."""
    engine = engine_from(listening_settings())
    try:
        empty(Database(engine))
    finally:
        engine.dispose()


class EmptiedTables(unittest.TestCase):
    """Stands before `TransactionTestCase` or `LiveServerTestCase` among the bases of a case: they empty the tables of
    Django's models, and Oyez's are none of these."""

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        try:
            return super().run(result)
        finally:
            empty_tables()
