"""The kit in tests of Django's: with a database of its own, or on Django's."""

from __future__ import annotations

import unittest
from collections.abc import Callable

from consumers.testing.cafe import Opened, noted, on, signals, tables
from oyez.consumers import Handlers
from oyez.consumers.django import DjangoTransaction
from oyez.consumers.testing import kit
from support.django_project import in_project

OYEZ = {"TRANSPORT": "memory", "DATABASE": "default"}


def run_tests(url: str, make: Callable[[], type[unittest.TestCase]]) -> None:
    """Run a case as `manage.py test` does, in a project of its own."""

    def run() -> None:
        from django.test.runner import DiscoverRunner

        runner = DiscoverRunner(verbosity=0, interactive=False)
        suite = unittest.TestLoader().loadTestsFromTestCase(make())
        before = runner.setup_databases()
        result = unittest.TextTestRunner(verbosity=0).run(suite)
        runner.teardown_databases(before)
        assert result.testsRun == 2
        assert result.wasSuccessful(), [*result.errors, *result.failures]

    in_project(url, run, OYEZ=OYEZ)


def test_a_case_has_a_kit_with_a_database_of_its_own(sqlite: str) -> None:
    def make() -> type[unittest.TestCase]:
        from django.test import TestCase

        class CafeTest(TestCase):
            def setUp(self) -> None:
                self.oyez = self.enterContext(kit(on, signals=signals))
                tables.create_all(self.oyez.engine)

            def test_one(self) -> None:
                self.oyez.announce(Opened(table="1"))
                assert self.oyez.run()
                assert noted(self.oyez, "lay") == [1]

            test_other = test_one

        return CafeTest

    run_tests(sqlite, make)


def test_handlers_use_the_orm_on_the_database_of_the_tests(database: str) -> None:
    def make() -> type[unittest.TestCase]:
        from django.test import TransactionTestCase

        from oyez.producers.django.settings import database_address
        from support.django_ledger.models import Entry

        ledger = Handlers("ledger")

        @ledger(Opened)
        def book(opened: Opened, db: DjangoTransaction) -> None:
            Entry.objects.create(n=int(opened.table))

        class LedgerTest(TransactionTestCase):
            def setUp(self) -> None:
                self.oyez = self.enterContext(kit(ledger, signals=signals, database=database_address()))

            def test_one(self) -> None:
                self.oyez.fail(book, ValueError)
                self.oyez.announce(Opened(table="1"))
                assert not self.oyez.run()
                assert Entry.objects.count() == 0
                self.oyez.advance(1)
                assert self.oyez.run()
                assert [one.n for one in Entry.objects.all()] == [1]

            test_other = test_one

        return LedgerTest

    run_tests(database, make)
