"""Two prerequisites, met by transactions that overlap."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, empty, history
from consumers.interleavings.signals import Bought, CartOpened, PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import ROLLBACK, Step, SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(CartOpened)
def fill(event: CartOpened, db: Connection) -> None:
    note(db, "fill", event)


@on(Bought)
def buy(event: Bought, db: Connection) -> None:
    note(db, "buy", event)


@on(PageViewed, order="none")
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


def _bought_last(shop: Shop) -> None:
    shop.run_due()
    nothing_is_left(shop)
    with shop.engine.connect() as db:
        found = history(db)
    assert sorted(found) == [("buy", 1), ("fill", 0), ("start", 0)]
    assert found[-1] == ("buy", 1)


started, opened, bought = announced(
    SessionStarted(session="s1"), CartOpened(cart="c1"), Bought(session="s1", cart="c1", n=1)
)


@pytest.mark.parametrize("parked_before", [False, True])
def test_a_delivery_that_requires_both(stepped_database: SteppedDatabase, parked_before: bool) -> None:
    acts: dict[str, Act] = {
        "starter": lambda shop: shop.handle(started),
        "filler": lambda shop: shop.handle(opened),
    }
    if not parked_before:
        acts["buyer"] = lambda shop: shop.handle(bought)
    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(acts, _bought_last, before=lambda shop: parked_before and shop.handle(bought))


def test_a_sweeper_runs_the_delivery_while_they_are_met(stepped_database: SteppedDatabase) -> None:
    """Released by the first prerequisite, it is checked from the start, and waits for the second."""
    acts: dict[str, Act] = {
        "starter": lambda shop: shop.handle(started),
        "filler": lambda shop: shop.handle(opened),
        "sweeper": lambda shop: shop.claim("steps.bought"),
    }
    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(acts, _bought_last, before=lambda shop: shop.handle(bought))


def test_prerequisites_are_locked_in_one_order(stepped_database: SteppedDatabase) -> None:
    """Whatever the order in which a batch has them, so that nobody ever waits in a circle."""
    forwards = announced(SessionStarted(session="s1"), SessionStarted(session="s2", n=1))
    backwards = announced(PageViewed(session="s2", n=2), PageViewed(session="s1", n=3))

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        with shop.engine.connect() as db:
            assert sorted(history(db)) == [("start", 0), ("start", 1), ("view", 2), ("view", 3)]

    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(
        {"starter": lambda shop: shop.handle(*forwards), "viewer": lambda shop: shop.handle(*backwards)},
        check,
    )
    assert every_order.rolled_back == 0, "a deadlock"


def test_nobody_waits_in_a_circle_when_one_of_the_prerequisites_is_held(
    stepped_database: SteppedDatabase,
) -> None:
    """A third holds the second prerequisite until both others wait. Who gets it then is PostgreSQL's choice; so,
    often."""
    every_order = EveryOrder(stepped_database, Application(on))
    for _ in range(8):
        taken = _while_the_second_is_held(every_order)
        assert {step.actor for step, waited in taken if waited} == {"viewer", "starter"}
        assert ROLLBACK not in {step.what for step, _ in taken}
        every_order.shop().run_due()
        nothing_is_left(every_order.shop())


def _while_the_second_is_held(every_order: EveryOrder) -> list[tuple[Step, bool]]:
    empty(every_order.shop().engine)
    every_order.shop().handle(*announced(PageViewed(session="s1", n=7), PageViewed(session="s2", n=8)))
    again = announced(SessionStarted(session="s2", n=5))
    backwards = announced(PageViewed(session="s2", n=2), PageViewed(session="s1", n=3))
    forwards = announced(SessionStarted(session="s1"), SessionStarted(session="s2", n=1))

    def commit_last(possible: Sequence[Step]) -> Step:
        return min(possible, key=lambda step: step.actor == "holder" and step.ends)

    acts: dict[str, Act] = {
        "holder": lambda shop: shop.handle(*again),
        "viewer": lambda shop: shop.handle(*backwards),
        "starter": lambda shop: shop.handle(*forwards),
    }
    return every_order.play(acts, commit_last)
