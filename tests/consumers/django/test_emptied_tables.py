"""A test of Django's that commits leaves nothing of Oyez's to the next one."""

from __future__ import annotations

import unittest

from django.db import connection

from consumers.django.failing import DjangoTried
from support.django_project import in_project

OYEZ = {"TRANSPORT": "inline", "APP": "consumers.django.failing:on", "DATABASE": "default"}


def test_each_test_begins_with_empty_tables(database: str) -> None:
    def run() -> None:
        from django.test import TransactionTestCase, override_settings
        from django.test.runner import DiscoverRunner

        from oyez.consumers.django.testing import EmptiedTables
        from oyez.producers.django import announce

        @override_settings(OYEZ=OYEZ)
        class FailingTest(EmptiedTables, TransactionTestCase):
            def test_one(self) -> None:
                assert (rows("oyez_parked"), rows("oyez_inbox")) == (0, 0)
                announce(DjangoTried(k="k", n=1))
                assert (rows("oyez_parked"), rows("oyez_inbox")) == (1, 1)

            test_other = test_one

        runner = DiscoverRunner(verbosity=0, interactive=False)
        before = runner.setup_databases()
        suite = unittest.TestLoader().loadTestsFromTestCase(FailingTest)
        result = unittest.TextTestRunner(verbosity=0).run(suite)
        left = rows("oyez_parked")
        runner.teardown_databases(before)
        assert result.testsRun == 2
        assert result.wasSuccessful(), [*result.errors, *result.failures]
        assert left == 0

    in_project(database, run)


def rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        (count,) = cursor.fetchone()
    return int(count)
