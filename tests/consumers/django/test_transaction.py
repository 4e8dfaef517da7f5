"""Handlers that use Django's ORM in Oyez's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, note, placed
from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.django import DjangoTransaction
from oyez.schemas import Event
from support.django_project import in_project, undone

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
Work = Callable[[Pipeline], None]


def entries() -> list[int]:
    from support.django_ledger.models import Entry

    return [*Entry.objects.order_by("id").values_list("n", flat=True)]


def create(n: int, **said: Any) -> Any:
    from support.django_ledger.models import Entry

    return Entry.objects.create(n=n, **said)


def run_in(
    url: str,
    register: Callable[[Handlers], None],
    work: Work,
    make: Callable[..., Pipeline] = Pipeline,
    **said: Any,
) -> None:
    """Do it in a project, with a pipeline over its database. Handlers are registered once Django is set up."""

    def run() -> None:
        on = Handlers("shop")
        register(on)
        pipeline = make(url, on, **said)
        try:
            work(pipeline)
        finally:
            pipeline.close()

    in_project(url, run)


def test_what_the_orm_writes_is_read_back_as_from_djangos_own_connection(pipeline_database: str) -> None:
    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            from support.django_ledger.models import Account, Entry

            account, _ = Account.objects.get_or_create(name="sales")
            said = {"at": MOMENT, "data": {"a": [1, "é"]}, "price": Decimal("1.50"), "is_new": False}
            Entry.objects.create(n=event.n, account=account, **said)
            found = Entry.objects.using(db.alias).select_related("account").get(n=event.n)
            assert (found.at, found.data, found.price, found.is_new) == tuple(said.values())
            assert found.at.utcoffset() == MOMENT.utcoffset()
            assert [*Entry.objects.filter(n=event.n).iterator(chunk_size=1)] == [found]
            assert Entry.objects.filter(at__date=MOMENT.date(), account__name__iregex="^SALES$").count() >= 1
            assert Entry.objects.filter(data__a__0=1).exists()

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(3)))
        assert pipeline.parked() == []
        assert sorted(entries()) == [0, 1, 2]

    run_in(pipeline_database, register, work)


def test_an_exception_leaves_neither_what_was_written_nor_what_was_announced(pipeline_database: str) -> None:
    """Whatever else the batch does: with the ORM, with SQLAlchemy, and with the tools."""

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction, other: Session, announcer: HandlerAnnouncer) -> None:
            create(event.n)
            note(other, "book", event.n)
            announcer.announce("ticked", {"n": event.n})
            if event.n == 1:
                raise ValueError("after all of it")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(3)))
        assert [(name, n) for name, n, _ in pipeline.parked()] == [("book", 1)]
        assert sorted(entries()) == sorted(pipeline.effects()) == [0, 2]
        assert len(pipeline.rows("outbox", "id")) == 2

    run_in(pipeline_database, register, work)


def test_atomic_is_a_savepoint_of_all_that_is_done_in_it(pipeline_database: str) -> None:
    def register(on: Handlers) -> None:
        @on(Placed)
        def book(
            event: Placed, db: DjangoTransaction, other: Connection, announcer: HandlerAnnouncer
        ) -> None:
            announcer.announce("ticked", {"n": 1})
            with undone(IntegrityError):
                note(other, "inside", event.n)
                announcer.announce("ticked", {"n": 2})
                create(event.n)
                with transaction.atomic():
                    create(event.n)
            with transaction.atomic(), transaction.atomic(savepoint=False):
                create(event.n + 100)
                announcer.announce("ticked", {"n": 3})
            sid = transaction.savepoint()
            create(event.n + 200)
            transaction.savepoint_rollback(sid)
            create(event.n + 300)
            transaction.savepoint_rollback(sid)
            create(event.n + 400)
            note(other, "outside", event.n)

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed([1]))
        assert pipeline.parked() == []
        assert entries() == [101, 401]
        assert pipeline.effects("outside") == [1]
        assert pipeline.effects("inside") == []
        assert len(pipeline.rows("outbox", "id")) == 2

    run_in(pipeline_database, register, work)


def test_on_commit_is_called_after_ours_and_not_when_it_is_undone(pipeline_database: str) -> None:
    seen: list[tuple[int, list[int]]] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            transaction.on_commit(lambda: seen.append((event.n, entries())))
            with undone(ValueError, "inside"):
                transaction.on_commit(lambda: seen.append((-1, [])))
                raise ValueError("inside")
            if event.n in (2, 5):
                raise ValueError("after it")

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(7)))
        assert [n for _, n, _ in pipeline.parked()] == [2, 5]
        assert sorted(n for n, _ in seen) == [0, 1, 3, 4, 6]
        assert all(n in there for n, there in seen), "they see what is committed, by Django's own connection"
        seen.clear()
        pipeline.later()  # alone, and in parts
        assert seen == []

    run_in(pipeline_database, register, work)


def test_what_fails_after_the_commit_changes_nothing(pipeline_database: str) -> None:
    called: list[int] = []

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            transaction.on_commit(lambda: 1 / 0)
            transaction.on_commit(lambda: called.append(event.n))

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(2)))
        assert (entries(), called, pipeline.is_clean()) == ([0, 1], [0, 1], True)

    run_in(pipeline_database, register, work)


def swallow() -> None:
    create(50)
    with pytest.raises(IntegrityError):
        create(50)


def ask_for_rollback() -> None:
    transaction.set_rollback(True)


def durable() -> None:
    with transaction.atomic(durable=True):
        pass


def close() -> None:
    connection.close()


def by_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("COMMIT")


MISUSES: dict[int, tuple[Callable[[], Any], str]] = {
    1: (transaction.commit, "HandlerMisuse: the handler called transaction.commit()"),
    2: (transaction.rollback, "HandlerMisuse: the handler called transaction.rollback()"),
    3: (
        lambda: transaction.set_autocommit(True),
        "HandlerMisuse: the handler called transaction.set_autocommit(True)",
    ),
    4: (close, "HandlerMisuse: the handler called connection.close()"),
    5: (connections.close_all, "HandlerMisuse: the handler called connection.close()"),
    6: (
        by_cursor,
        "HandlerMisuse: the handler called execute('COMMIT'), which would end the transaction of its whole",
    ),
    7: (swallow, "HandlerMisuse: the handler swallowed a database error"),
    8: (ask_for_rollback, "HandlerMisuse: the handler swallowed a database error, or asked for a rollback"),
    9: (durable, "RuntimeError: A durable atomic block cannot be nested"),
}


def test_a_handler_cannot_end_the_transaction(pipeline_database: str) -> None:
    """Each way to try is its failure alone."""

    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            if event.n in MISUSES:
                MISUSES[event.n][0]()

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(11)))
        assert sorted(entries()) == [0, 10]
        said = {n: error for _, n, error in pipeline.parked()}
        assert said.keys() == MISUSES.keys()
        for n, (_, words) in MISUSES.items():
            assert said[n].startswith(words), said[n]

    run_in(pipeline_database, register, work)


def test_no_connection_is_opened_and_none_is_kept(pipeline_database: str) -> None:
    def register(on: Handlers) -> None:
        @on(Placed)
        def book(event: Placed, db: DjangoTransaction) -> None:
            create(event.n)
            if event.n % 2:
                raise ValueError("odd")

    def work(pipeline: Pipeline) -> None:
        real, pool = connections["default"], pipeline.engine.pool
        pipeline.run()
        before = pool.checkedout()
        real.close()
        pipeline.handle(*placed(range(20)))
        assert connections["default"] is real
        assert real.connection is None, "Django has not opened its own"
        assert sorted(entries()) == [*range(0, 20, 2)]
        assert pool.checkedout() == before

    run_in(pipeline_database, register, work)


def test_a_batch_may_have_handlers_of_both_kinds(pipeline_database: str) -> None:
    """And a handler of a list of events is called once for them."""

    def register(on: Handlers) -> None:
        @on(Placed, order="none")
        def plain(event: Placed, db: Session) -> None:
            note(db, "plain", event.n)

        @on(Placed, order="none")
        def many(events: list[Event[Placed]], db: DjangoTransaction) -> None:
            for event in events:
                create(event.data.n)

        @on(Placed, order="none")
        def both(event: Placed, db: DjangoTransaction, other: Connection) -> None:
            note(other, "both", event.n)
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM effect WHERE handler = 'both' AND n = %s", [event.n])
                assert cursor.fetchone() == (1,), "what SQLAlchemy has in hand is written before"

    def work(pipeline: Pipeline) -> None:
        pipeline.handle(*placed(range(5)))
        assert pipeline.parked() == []
        assert (
            sorted(entries()) == sorted(pipeline.effects("plain")) == pipeline.effects("both") == [*range(5)]
        )

    run_in(pipeline_database, register, work)
