"""A head is run and deleted while somebody parks behind it. That row is the one that a sweep has to find."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, history, rows
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(PageViewed)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


def test_what_parks_behind_a_head_that_is_deleted_is_found_by_the_sweep(
    stepped_database: SteppedDatabase,
) -> None:
    started, first, second = announced(
        SessionStarted(session="s1"), PageViewed(session="s1", n=1), PageViewed(session="s1", n=2)
    )
    left_behind = 0

    def before(shop: Shop) -> None:
        shop.handle(first)
        shop.handle(started)

    def check(shop: Shop) -> None:
        nonlocal left_behind
        shop.run_due()
        with shop.engine.connect() as db:
            left = rows(db, "parked", "due_at", "wait_signal")
        assert left in ([], [(None, None)])
        left_behind += len(left)
        shop.sweep()
        nothing_is_left(shop)
        with shop.engine.connect() as db:
            assert history(db) == [("start", 0), ("view", 1), ("view", 2)]

    every_order = EveryOrder(stepped_database, Application(on))
    explored = every_order.every(
        {
            "listener": lambda shop: shop.handle(second),
            "sweeper": lambda shop: shop.claim("steps.page.viewed"),
        },
        check,
        before=before,
    )
    assert 0 < left_behind < explored.runs


def test_it_is_released_claimed_and_deleted_while_another_arrives(stepped_database: SteppedDatabase) -> None:
    """Three at once: who meets its prerequisite, who claims it, and who parks behind it."""
    started, first, second = announced(
        SessionStarted(session="s1"), PageViewed(session="s1", n=1), PageViewed(session="s1", n=2)
    )

    def check(shop: Shop) -> None:
        shop.run_due()
        assert shop.rows("parked", "due_at", "wait_signal") in ([], [(None, None)])
        shop.sweep()
        nothing_is_left(shop)
        assert shop.done("view") == [1, 2]

    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(
        {
            "starter": lambda shop: shop.handle(started),
            "listener": lambda shop: shop.handle(second),
            "sweeper": lambda shop: shop.claim("steps.page.viewed"),
        },
        check,
        before=lambda shop: shop.handle(first),
    )
