"""Announcing in transactions of Django's: the event is in the outbox if, and only if, the transaction is committed."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from django.core.signals import request_finished
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from sqlalchemy import create_engine, select

from consumers.django.paid import DjangoPaid, taken
from consumers.pipeline import one_line
from oyez.producers import NotAnnounced
from oyez.producers.django import announce
from support.django_project import in_project, undone
from support.tables import knowing_the_tables, table_named


def numbers(url: str) -> list[int]:
    """What stands in the outbox, in order, as others see it."""
    engine, outbox = knowing_the_tables(create_engine(url)), table_named("outbox")
    with engine.connect() as db:
        values = db.execute(select(outbox.c.value).order_by(outbox.c.id)).scalars().all()
    engine.dispose()
    return [json.loads(value)["data"]["n"] for value in values]


def test_it_is_there_once_the_transaction_is_committed(pipeline_database: str) -> None:
    def work() -> None:
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default")
            announce("django.paid", {"n": 2}, db=connection)
            announce(DjangoPaid(n=3), db=connections["default"])
            assert numbers(pipeline_database) == []
        assert numbers(pipeline_database) == [1, 2, 3]

    in_project(pipeline_database, work)


def test_what_is_rolled_back_was_never_announced(pipeline_database: str) -> None:
    def work() -> None:
        from support.django_ledger.models import Entry

        with undone(ValueError, "after both"):
            Entry.objects.create(n=1)
            announce(DjangoPaid(n=1), db="default")
            raise ValueError("after both")
        assert (numbers(pipeline_database), Entry.objects.count()) == ([], 0)

    in_project(pipeline_database, work)


def test_a_savepoint_takes_with_it_what_was_announced_in_it(pipeline_database: str) -> None:
    def work() -> None:
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default")
            with undone(ValueError, "inside"):
                announce(DjangoPaid(n=2), db="default")
                with transaction.atomic():
                    announce(DjangoPaid(n=3), db="default")
                raise ValueError("inside")
            with transaction.atomic():
                announce(DjangoPaid(n=4), db="default")
        assert numbers(pipeline_database) == [1, 4]

    in_project(pipeline_database, work)


def test_without_a_transaction_it_is_refused(pipeline_database: str) -> None:
    """It would have left before what belongs to it had failed."""

    def work() -> None:
        with pytest.raises(NotAnnounced) as refused:
            announce(DjangoPaid(n=1), db="default")
        one_line(refused.value, "no transaction", "'default'", "transaction.atomic()")
        transaction.set_autocommit(False)  # by hand: there is one
        announce(DjangoPaid(n=2), db="default")
        transaction.commit()
        transaction.set_autocommit(True)
        assert numbers(pipeline_database) == [2]

    in_project(pipeline_database, work)


def test_a_failed_transaction_takes_nothing_more(pipeline_database: str) -> None:
    def work() -> None:
        from support.django_ledger.models import Entry

        with undone(NotAnnounced) as refused:
            Entry.objects.create(n=1)
            with pytest.raises(IntegrityError):
                Entry.objects.create(n=1)
            announce(DjangoPaid(n=1), db="default")
        one_line(refused.value, "django.paid was not announced", "the database did not take it")
        assert numbers(pipeline_database) == []

    in_project(pipeline_database, work)


def test_each_database_has_its_own(pipeline_database: str, tmp_path: Path) -> None:
    """The other one has no tables of Oyez's, and is not the transaction of the first."""

    def work() -> None:
        with undone(NotAnnounced, using="other") as refused:
            announce(DjangoPaid(n=1), db="other")
        one_line(refused.value, "'other'", "oyez_outbox", "Oyez's tables are in 'default'")
        with undone(NotAnnounced, using="other") as refused:
            announce(DjangoPaid(n=2), db="default")
        one_line(refused.value, "no transaction")
        with pytest.raises(NotAnnounced) as refused:
            announce(DjangoPaid(n=3), db="none")
        one_line(refused.value, "'none'", "default, other")
        assert numbers(pipeline_database) == []

    other = f"sqlite:///{tmp_path / 'other.db'}"
    in_project(pipeline_database, work, databases={"other": other})


def test_it_goes_where_new_connections_make_tables_whatever_the_search_path_is(
    pipeline_postgres: str,
) -> None:
    """As where each tenant has a schema of its own."""

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA tenant")
            cursor.execute("CREATE TABLE tenant.oyez_outbox (LIKE public.oyez_outbox INCLUDING ALL)")
            cursor.execute("SET search_path TO tenant")
        try:
            with transaction.atomic():
                announce(DjangoPaid(n=1), db="default")
                announce(DjangoPaid(n=2), db="default")
            assert numbers(pipeline_postgres) == [1, 2]
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_schema()")
                assert cursor.fetchone() == ("tenant",)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA tenant CASCADE")
                cursor.execute("SET search_path TO public")

    in_project(pipeline_postgres, work)


def test_listeners_are_told_when_it_is_committed(pipeline_postgres: str) -> None:
    def work() -> None:
        listening = psycopg.connect(pipeline_postgres.replace("+psycopg", ""), autocommit=True)
        listening.execute("LISTEN oyez")
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default")
            assert not [*listening.notifies(timeout=0, stop_after=1)]
        assert [notice.payload for notice in listening.notifies(timeout=10, stop_after=1)] == ["outbox"]
        listening.close()

    in_project(pipeline_postgres, work)


@pytest.mark.parametrize("binds", [True, False])
def test_server_side_binding_or_not(pipeline_postgres: str, binds: bool) -> None:
    def work() -> None:
        connection.settings_dict["OPTIONS"]["server_side_binding"] = binds
        connection.close()
        with transaction.atomic():
            announce(DjangoPaid(k="%s ' \\ é", n=1), db="default")
        assert numbers(pipeline_postgres) == [1]

    in_project(pipeline_postgres, work)


def test_inline_it_is_handled_as_soon_as_it_is_committed(pipeline_database: str) -> None:
    """Not if it is rolled back, and not before."""

    def work() -> None:
        taken.clear()
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default")
            with undone(ValueError, "inside"):
                announce(DjangoPaid(n=2), db="default")
                raise ValueError("inside")
            assert taken == []
        assert taken == [1]
        assert numbers(pipeline_database) == []

    said = {"TRANSPORT": "inline", "APP": "consumers.django.paid:on"}
    in_project(pipeline_database, work, OYEZ=said)


def test_inline_it_is_handled_at_the_end_of_the_request_where_a_callback_before_has_raised(
    pipeline_database: str,
) -> None:
    """Django calls none of those behind it."""

    def fail() -> None:
        raise ValueError("a callback of the application's")

    def work() -> None:
        taken.clear()
        with undone(ValueError, "a callback"):
            transaction.on_commit(fail)
            announce(DjangoPaid(n=1), db="default")
        assert (taken, numbers(pipeline_database)) == ([], [1])
        request_finished.send(sender=None)
        assert (taken, numbers(pipeline_database)) == ([1], [])

    said = {"TRANSPORT": "inline", "APP": "consumers.django.paid:on"}
    in_project(pipeline_database, work, OYEZ=said)


def test_atomic_requests_are_transactions_too(pipeline_database: str) -> None:
    """A page that fails has neither written nor announced."""

    def work() -> None:
        from consumers.django.test_transaction import entries

        connection.settings_dict["ATOMIC_REQUESTS"] = True
        client = Client(raise_request_exception=False)
        codes = [client.get(path).status_code for path in ("/pay/1", "/pay/2?fail", "/pay/3")]
        assert codes == [200, 500, 200]
        assert numbers(pipeline_database) == entries() == [1, 3]

    in_project(pipeline_database, work, ROOT_URLCONF="consumers.django.paying_urls", LOGGING_CONFIG=None)
