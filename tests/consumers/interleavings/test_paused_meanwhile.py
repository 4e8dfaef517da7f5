"""Pauses that begin and end while workers read and claim, one statement at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, Script, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(PageViewed, requires={})
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


records = announced(*(PageViewed(session="s1", n=n) for n in range(3)))
SCOPES = [("view", None), ("shop.steps.page.viewed", None), (None, "s1"), ("view", "s1")]


def _goes_on(shop: Shop) -> None:
    shop.look_at_pauses()
    shop.sweep()


@pytest.mark.parametrize("scope", SCOPES)
def test_a_pause_while_one_reads_and_another_claims(
    stepped_database: SteppedDatabase, scope: tuple[str | None, str | None]
) -> None:
    """Whoever has heard of it or not: each event is handled once, in order, by the time that it is resumed."""
    every_order = EveryOrder(stepped_database, Application(on))
    ran: set[int] = set()

    def before(shop: Shop) -> None:
        shop.pause(*scope)
        shop.look_at_pauses()
        shop.handle(records[0])
        shop.resume(*scope)

    def reader(shop: Shop) -> None:
        shop.look_at_pauses()
        shop.handle(*records[1:])

    def check(shop: Shop) -> None:
        done = shop.done("view")
        ran.add(len(done))
        assert done == [0, 1, 2][: len(done)]
        shop.run_due()
        assert shop.done("view") == done, "something ran that is paused"
        assert shop.resume(*scope)
        _goes_on(shop)
        assert shop.done("view") == [0, 1, 2]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "operator": lambda shop: shop.pause(*scope),
        "reader": reader,
        "claimer": lambda shop: shop.run_due(),
    }
    every_order.every(acts, check, before=before)
    assert len(ran) > 1, "nothing ever depended on who was first"


@pytest.mark.parametrize("scope", SCOPES)
def test_the_end_of_a_pause_while_one_reads_and_another_claims(
    stepped_database: SteppedDatabase, scope: tuple[str | None, str | None]
) -> None:
    every_order = EveryOrder(stepped_database, Application(on))

    def before(shop: Shop) -> None:
        shop.pause(*scope)
        shop.look_at_pauses()
        shop.handle(records[0])

    def reader(shop: Shop) -> None:
        shop.look_at_pauses()
        shop.handle(*records[1:])

    def check(shop: Shop) -> None:
        _goes_on(shop)
        assert shop.done("view") == [0, 1, 2]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "operator": lambda shop: shop.resume(*scope),
        "reader": reader,
        "claimer": lambda shop: shop.run_due(),
    }
    every_order.every(acts, check, before=before)


def test_what_is_released_while_its_handler_is_paused(stepped_database: SteppedDatabase) -> None:
    """It becomes due, and is run when it is resumed; nobody is left waiting for what is met."""
    handlers = Handlers("shop")
    script = Script(handlers)
    script.handler("start", SessionStarted)
    script.handler("look", PageViewed)
    every_order = EveryOrder(stepped_database, Application(handlers))
    started, viewed = announced(SessionStarted(session="s1", n=1), PageViewed(session="s1", n=2))

    def check(shop: Shop) -> None:
        shop.resume("look")
        _goes_on(shop)
        assert (shop.done("start"), shop.done("look")) == ([1], [2])
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "operator": lambda shop: shop.pause("look"),
        "starter": lambda shop: shop.handle(started),
        "claimer": lambda shop: shop.run_due("steps.page.viewed"),
    }
    every_order.every(acts, check, before=lambda shop: shop.handle(viewed))
