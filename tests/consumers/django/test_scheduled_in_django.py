"""Announcing for later in transactions of Django's: it is scheduled if, and only if, the transaction is committed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from sqlalchemy import create_engine, select

from consumers.django.paid import DjangoPaid
from oyez.producers import NotAnnounced
from oyez.producers.django import announce
from support.django_project import in_project, undone
from support.tables import knowing_the_tables, table_named

HOUR = timedelta(hours=1)


def rows(url: str, name: str) -> list[Any]:
    """What stands in a table, in order, as others see it."""
    engine, table = knowing_the_tables(create_engine(url)), table_named(name)
    with engine.connect() as db:
        found = list(db.execute(select(table).order_by(table.c.id)))
    engine.dispose()
    return found


def numbers(url: str, name: str = "scheduled") -> list[int]:
    return [json.loads(row.value)["data"]["n"] for row in rows(url, name)]


def test_it_is_scheduled_once_the_transaction_is_committed(pipeline_database: str) -> None:
    def work() -> None:
        begun = datetime.now(UTC)
        with transaction.atomic():
            event = announce(DjangoPaid(k="anna", n=1), db="default", after=HOUR)
            announce("django.paid", {"n": 2}, db=connection, at=begun + 2 * HOUR)
            announce(DjangoPaid(n=3), db="default", at=begun - HOUR)  # due already: it leaves at once
            assert numbers(pipeline_database) == []
        assert (numbers(pipeline_database), numbers(pipeline_database, "outbox")) == ([1, 2], [3])
        first, second = rows(pipeline_database, "scheduled")
        assert (first.event_id, first.signal, first.key, first.due_at - first.scheduled_at) == (
            event,
            "django.paid",
            "anna",
            pytest.approx(HOUR.total_seconds(), abs=1e-3),
        )
        assert second.due_at == pytest.approx((begun + 2 * HOUR).timestamp(), abs=1e-3)
        said = datetime.fromisoformat(json.loads(second.value)["time"])
        assert said.timestamp() == pytest.approx(second.due_at, abs=1e-3)

    in_project(pipeline_database, work)


def test_what_is_rolled_back_with_its_savepoint_was_never_scheduled(pipeline_database: str) -> None:
    def work() -> None:
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default", after=HOUR)
            with undone(ValueError, "inside"):
                announce(DjangoPaid(n=2), db="default", after=HOUR)
                raise ValueError("inside")
        with undone(ValueError, "all"):
            announce(DjangoPaid(n=3), db="default", after=HOUR)
            raise ValueError("all")
        assert numbers(pipeline_database) == [1]

    in_project(pipeline_database, work)


def test_without_a_transaction_it_is_refused_and_the_error_has_the_event(pipeline_database: str) -> None:
    def work() -> None:
        with pytest.raises(NotAnnounced, match="no transaction on the database 'default'") as refused:
            announce(DjangoPaid(n=7), db="default", after=HOUR)
        assert refused.value.event.data == DjangoPaid(n=7)
        with pytest.raises(NotAnnounced, match="give db="):
            announce(DjangoPaid(n=8), after=HOUR)
        assert (numbers(pipeline_database), numbers(pipeline_database, "outbox")) == ([], [])

    in_project(pipeline_database, work)


def test_a_database_without_the_table_is_named(pipeline_database: str) -> None:
    def work() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE oyez_scheduled RENAME TO elsewhere")
            with pytest.raises(NotAnnounced, match=r"has no table oyez_scheduled.*; run: manage.py migrate"):
                announce(DjangoPaid(n=1), db="default", after=HOUR)
            transaction.set_rollback(True)
        assert numbers(pipeline_database) == []

    in_project(pipeline_database, work)


def test_workers_are_told_that_there_is_something_later(pipeline_postgres: str) -> None:
    def work() -> None:
        listening = psycopg.connect(pipeline_postgres.replace("+psycopg", ""), autocommit=True)
        listening.execute("LISTEN oyez")
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default", after=HOUR)
            assert not [*listening.notifies(timeout=0, stop_after=1)]
        assert [notice.payload for notice in listening.notifies(timeout=10, stop_after=1)] == ["outbox"]
        listening.close()

    in_project(pipeline_postgres, work)
