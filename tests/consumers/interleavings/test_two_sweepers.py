"""The deliveries of one event that both have to be done before its prerequisite is met, run by two sweepers at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, history, rows
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

on = Handlers("shop")
failing: set[str] = set()


def _fail(handler: str) -> None:
    if handler in failing:
        raise RuntimeError(f"{handler} fails")


@on(SessionStarted)
def greet(event: SessionStarted, db: Connection) -> None:
    _fail("greet")
    note(db, "greet", event)


@on(SessionStarted)
def count(event: SessionStarted, db: Connection) -> None:
    _fail("count")
    note(db, "count", event)


@on(PageViewed)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


@pytest.fixture(autouse=True)
def _nothing_fails() -> Iterator[None]:
    yield
    failing.clear()


def test_exactly_one_of_them_marks_the_prerequisite(stepped_database: SteppedDatabase) -> None:
    started, viewed = announced(SessionStarted(session="s1"), PageViewed(session="s1", n=1))
    every_order = EveryOrder(stepped_database, Application(on))

    def before(shop: Shop) -> None:
        failing.update({"greet", "count"})
        shop.handle(started, viewed)
        failing.clear()
        with shop.engine.connect() as db:
            assert rows(db, "parked", "handler", "attempts") == [("greet", 1), ("count", 1), ("view", 0)]
        every_order.clock.now += 10

    def sweep(shop: Shop) -> list[str]:
        return shop.claim("steps.session.started").released

    def check(shop: Shop) -> None:
        assert sorted(every_order.results.values()) == [[], ["shop.steps.page.viewed"]]
        shop.run_due()
        nothing_is_left(shop)
        with shop.engine.connect() as db:
            assert history(db)[-1] == ("view", 1)
            assert sorted(history(db)) == [("count", 0), ("greet", 0), ("view", 1)]

    every_order.every({"one": sweep, "other": sweep}, check, before=before, batch=1)
    assert every_order.waited, "neither ever waited for the other's lock of the prerequisite"
