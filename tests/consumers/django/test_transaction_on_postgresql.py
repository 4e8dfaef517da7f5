"""What only PostgreSQL does: its values, its session's settings, its conflicts, and connections that are lost."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, connection
from sqlalchemy import Connection, text

from consumers.django.test_transaction import create, entries, run_in
from consumers.lanes.lane_pipeline import LanePipeline
from consumers.pipeline import Pipeline, Placed, known, note, placed
from oyez.consumers import Application, Handlers
from oyez.consumers.django import DjangoTransaction
from oyez.consumers.run.looked_after import looked_after
from support.django_project import in_project, undone

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NAMES = ("statement_timeout", "search_path")
READ = "SELECT CAST('2026-03-04 05:06:07+00' AS timestamptz), CAST('{\"a\": 1}' AS jsonb), CAST('10.0.0.1' AS inet)"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_values_are_each_libraries_own(pipeline_postgres: str, zone: str) -> None:
    """Whatever the server's time zone is. What Django sets up is gone afterwards, and while SQLAlchemy reads."""
    read: list[Any] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def before(event: Placed, db: Connection) -> None:
            read.append(("plain", *db.execute(text(READ)).one()))

        @on(Placed)
        def book(event: Placed, db: DjangoTransaction, other: Connection) -> None:
            with connection.cursor() as cursor:
                cursor.execute(READ)
                read.append(("django", *cursor.fetchone()))
            read.append(("beside", *other.execute(text(READ)).one()))

        @on(Placed)
        def behind(event: Placed, db: Connection) -> None:
            read.append(("plain", *db.execute(text(READ)).one(), db.execute(text("SHOW TimeZone")).scalar()))

    def work(pipeline: Pipeline) -> None:
        with psycopg.connect(pipeline_postgres.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"ALTER ROLE CURRENT_USER SET TimeZone = '{zone}'")
        try:
            pipeline.engine.dispose()
            pipeline.handle(*placed([1]))
        finally:
            with psycopg.connect(pipeline_postgres.replace("+psycopg", ""), autocommit=True) as admin:
                admin.execute("ALTER ROLE CURRENT_USER RESET TimeZone")
        assert pipeline.parked() == []
        (_, at, data, address), beside = (
            next(row for row in read if row[0] == kind) for kind in ("django", "beside")
        )
        assert (at, at.tzinfo, data, address) == (MOMENT, UTC, '{"a": 1}', "10.0.0.1")
        assert beside[1:] == (MOMENT, {"a": 1}, ip_address("10.0.0.1"))
        first, last = (row for row in read if row[0] == "plain")
        assert first[1:] == last[1:4] == (MOMENT, {"a": 1}, ip_address("10.0.0.1"))
        assert first[1].utcoffset() == last[1].utcoffset()
        assert last[4] == zone

    run_in(pipeline_postgres, register, work)


def test_without_time_zones_moments_are_djangos_local_time(pipeline_postgres: str) -> None:
    """`USE_TZ = False`: what is read in a handler is what a page reads."""
    read: list[datetime] = []

    def run() -> None:
        from support.django_ledger.models import Entry

        on = Handlers("shop")

        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n, at=datetime(2026, 3, 4, 5, 6))  # noqa: DTZ001 # as such a project has them
            read.append(Entry.objects.get(n=event.n).at)

        pipeline = Pipeline(pipeline_postgres, on)
        try:
            pipeline.handle(*placed([1]))
            assert pipeline.parked() == []
            assert read == [Entry.objects.get(n=1).at] == [datetime(2026, 3, 4, 5, 6)]  # noqa: DTZ001 # as above
            with connection.cursor() as cursor:
                cursor.execute("SELECT extract(hour FROM at AT TIME ZONE 'UTC') FROM django_ledger_entry")
                assert cursor.fetchone() == (20,)
        finally:
            pipeline.close()

    in_project(pipeline_postgres, run, USE_TZ=False, TIME_ZONE="Asia/Tokyo")


def test_what_is_set_by_a_cursor_is_set_back(pipeline_postgres: str) -> None:
    shown: list[str] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = '7s'")
                cursor.execute("SELECT set_config('search_path', 'pg_temp', false)")

        @on(Placed)
        def behind(event: Placed, db: Connection) -> None:
            shown.extend(
                str(db.execute(text(f"SHOW {name}")).scalar())
                for name in ("statement_timeout", "search_path")
            )

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert pipeline.is_clean()
        assert shown == ["0", '"$user", public']

    run_in(pipeline_postgres, register, work)


def test_a_conflict_that_the_orm_meets_is_no_failure(pipeline_postgres: str) -> None:
    """The whole transaction is run again, as where SQLAlchemy meets it."""
    runs: list[int] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            runs.append(event.n)
            create(event.n)
            if len(runs) < 4:
                with connection.cursor() as cursor:
                    cursor.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert (pipeline.is_clean(), len(runs), entries()) == (True, 4, [1])

    run_in(pipeline_postgres, register, work)


def test_a_connection_that_the_orm_loses_is_no_failure(pipeline_postgres: str) -> None:
    """Not in a lane either, where nothing else would notice."""
    runs: list[int] = []

    def register(on: Handlers) -> None:
        @on(Placed, concurrency=1)
        def book(event: Placed, db: DjangoTransaction) -> None:
            runs.append(event.n)
            create(event.n)
            if len(runs) == 1:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert (pipeline.is_clean(), runs, entries()) == (True, [1, 1], [1])

    run_in(pipeline_postgres, register, work, make=LanePipeline)


def test_an_error_that_was_swallowed_within_a_savepoint_undoes_it(pipeline_postgres: str) -> None:
    """As Django does by itself: the block is rolled back when it ends."""

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            with undone(InternalError):
                create(event.n + 10)
                with connection.cursor() as cursor, pytest.raises(Exception, match="division"):
                    cursor.execute("SELECT 1 / 0")
            create(event.n + 20)

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert (pipeline.parked(), entries()) == ([], [1, 21])

    run_in(pipeline_postgres, register, work)


def test_an_error_that_was_swallowed_without_one_is_the_handlers_failure(pipeline_postgres: str) -> None:
    """Also by a cursor, of which Django takes no note; the message says what to write in Django's words."""

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            if event.n == 1:
                with connection.cursor() as cursor, pytest.raises(Exception, match="division"):
                    cursor.execute("SELECT 1 / 0")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(3)))
        ((_, n, error),) = pipeline.parked()
        assert (n, sorted(entries())) == (1, [0, 2])
        assert error.startswith("HandlerMisuse: the handler swallowed a database error")
        assert "with transaction.atomic():" in error

    run_in(pipeline_postgres, register, work)


def test_the_workers_transaction_is_djangos(pipeline_postgres: str) -> None:
    """By what the server says of it."""
    backends: list[tuple[int, int]] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction, other: Connection) -> None:
            asked = "SELECT pg_backend_pid(), pg_current_xact_id()::text"
            note(other, "book", event.n)
            with connection.cursor() as cursor:
                cursor.execute(asked)
                assert cursor.fetchone() == tuple(other.execute(text(asked)).one())
            backends.append((event.n, threading.get_ident()))

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1, 2]))
        assert (pipeline.parked(), [n for n, _ in backends]) == ([], [1, 2])

    run_in(pipeline_postgres, register, work)


@pytest.mark.parametrize(("max_age", "left"), [(0, [1, 2, 3]), (None, [1, 3])])
def test_a_lost_connection_of_djangos_own_is_made_anew(
    pipeline_postgres: str, max_age: int | None, left: list[int]
) -> None:
    """By a handler that writes with the ORM outside of Oyez's transaction. One that is kept fails once."""

    def run() -> None:
        on = Handlers("shop")

        @on(Placed)
        def book(event: Placed) -> None:
            create(event.n)

        connection.settings_dict["CONN_MAX_AGE"] = max_age
        (handler,) = looked_after(Application(on, known)).handlers
        handler.call([Placed(n=1)], None)
        with psycopg.connect(pipeline_postgres.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with suppress(OperationalError):
            handler.call([Placed(n=2)], None)
        handler.call([Placed(n=3)], None)
        assert entries() == left

    in_project(pipeline_postgres, run)
