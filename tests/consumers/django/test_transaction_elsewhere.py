"""Handlers that use Django's ORM in lanes, in at-least-once groups, in place, and where they cannot."""

from __future__ import annotations

import os
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from sqlalchemy import Connection

from consumers.django.test_transaction import create, entries, run_in
from consumers.lanes.lane_pipeline import LanePipeline
from consumers.pipeline import Pipeline, Placed, one_line, placed
from oyez.consumers import Handlers, RegistrationError
from oyez.consumers.django import DjangoTransaction
from oyez.producers.django import announce
from support.django_project import in_fork, in_project


def test_in_lanes_each_thread_has_a_connection_of_its_own(pipeline_database: str) -> None:
    called: list[int] = []
    broken = {3}

    def register(on: Handlers) -> None:
        @on(Placed, concurrency=3)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            transaction.on_commit(lambda: called.append(event.n))
            with transaction.atomic():
                create(event.n + 100)
            if event.n in broken:
                raise ValueError("broken")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(6)))
        assert [n for _, n, _ in pipeline.parked()] == [3]
        assert sorted(called) == [0, 1, 2, 4, 5]
        broken.clear()
        pipeline.later()
        assert sorted(called) == [*range(6)]
        assert sorted(entries()) == [*range(6), *range(100, 106)]

    run_in(pipeline_database, register, work, make=LanePipeline)


def test_in_an_at_least_once_group_the_orm_is_in_the_transaction_too(pipeline_database: str) -> None:
    def run() -> None:
        on = Handlers("shop", promises={"placed": "at-least-once"})

        @on(Placed, order="none")
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            if event.n == 1:
                raise ValueError("after it")

        pipeline = Pipeline(pipeline_database, on)
        try:
            pipeline.handle(*placed(range(3)))
            assert sorted(entries()) == [0, 2]
            assert [n for _, n, _ in pipeline.parked()] == [1]
        finally:
            pipeline.close()

    in_project(pipeline_database, run)


def test_in_place_django_has_its_own_connection_back_for_the_request(pipeline_database: str) -> None:
    """An announcement in a view runs the handlers before it returns (`inline`)."""

    def run() -> None:
        real = connections["default"]
        announce("django.booked", {"n": 1})
        assert connections["default"] is real
        assert entries() == [1]
        with transaction.atomic():
            announce("django.booked", {"n": 2}, db="default")
            create(100)
        assert sorted(entries()) == [1, 2, 100]

    said = {"TRANSPORT": "inline", "APP": "consumers.django.booking:on"}
    in_project(pipeline_database, run, OYEZ=said)


async def awaiting(event: Placed, db: DjangoTransaction) -> None: ...


def plain(event: Placed, db: DjangoTransaction) -> None: ...


@pytest.mark.parametrize(
    ("function", "said", "words"),
    [
        (awaiting, {}, "DjangoTransaction is for a plain def"),
        (
            plain,
            {"INSTALLED_APPS": ["oyez.producers.django", "support.django_ledger"]},
            "oyez.consumers.django",
        ),
        (plain, {"OYEZ": {"DATABASE": "sqlite:///x.db"}}, "alias"),
        (plain, {"OYEZ": {"DATABASE": 7}}, "alias of settings.DATABASES"),
    ],
)
def test_where_it_cannot_be_had_is_said_at_once(
    sqlite: str, function: Any, said: dict[str, Any], words: str
) -> None:
    def work() -> None:
        with pytest.raises(RegistrationError) as refused:
            Handlers("shop")(Placed)(function)
        one_line(refused.value, function.__name__, words)

    in_project(sqlite, work, **said)


def test_before_django_is_set_up_it_says_so() -> None:
    def work() -> None:
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        with pytest.raises(RegistrationError) as refused:
            Handlers("shop")(Placed)(plain)
        one_line(refused.value, "plain", "DJANGO_SETTINGS_MODULE")

    in_fork(work)


def test_a_conflict_met_by_the_driver_alone_is_no_failure(pipeline_postgres: str) -> None:
    """As any library may speak with it that is lent the connection."""
    runs: list[int] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: Connection) -> None:
            runs.append(event.n)
            if len(runs) < 4:
                driver: Any = db.connection.driver_connection
                try:
                    driver.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                except psycopg.Error as error:
                    raise ValueError("the library's own words") from error

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert (pipeline.is_clean(), len(runs)) == (True, 4)

    run_in(pipeline_postgres, register, work)


def test_foreign_keys_are_checked_on_sqlite(pipeline_sqlite: str) -> None:
    """As on Django's own connections: when the transaction ends."""

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n, account_id=99 if event.n == 1 else None)

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(3)))
        (refused,) = pipeline.parked()
        assert (refused[1], "django_ledger_account does not have" in refused[2]) == (1, True)
        assert sorted(entries()) == [0, 2]

    run_in(pipeline_sqlite, register, work)
