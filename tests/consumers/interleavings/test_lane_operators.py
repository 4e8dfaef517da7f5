"""Operators and prerequisites beside lanes, one statement at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from consumers.admin.test_interleavings import Discarding, apply
from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.lane_shop import ShopLanes, all_is_done, chosen
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.admin import Discard, Release
from oyez.consumers.database.tables import parked
from oyez.consumers.lanes.unit import Room, Unit
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(PageViewed, requires={}, concurrency=2)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


needing = Handlers("shop")


@needing(SessionStarted, concurrency=2)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@needing(PageViewed, name="view", concurrency=2)
def view_of_a_session(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


loose = Handlers("shop")


@loose(PageViewed, requires={}, concurrency=2, order="none", limits={"per_key": 1}, name="view")
def view_in_any_order(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


one, other = announced(*(PageViewed(session="s1", n=n) for n in range(2)))
(started,) = announced(SessionStarted(session="s1"))
SCOPES = [("view", None), ("shop.steps.page.viewed", None), ("view", "s1")]


def once(shop: Shop) -> None:
    ShopLanes(shop, "view").once()


@pytest.mark.parametrize("scope", SCOPES, ids=["handler", "group", "key"])
def test_a_pause_while_lanes_choose_and_run(
    stepped_database: SteppedDatabase, scope: tuple[str, str | None]
) -> None:
    """What was chosen before is run to its end; nothing more is begun until it is resumed."""
    every_order = EveryOrder(stepped_database, Application(on))
    ran: set[int] = set()

    def check(shop: Shop) -> None:
        done = shop.done("view")
        ran.add(len(done))
        ShopLanes(shop, "view").work()
        assert shop.done("view") == done, "something ran that is paused"
        assert shop.resume(*scope)
        all_is_done(shop, 0, 1)

    acts: dict[str, Act] = {"operator": lambda shop: shop.pause(*scope), "lanes": once}
    every_order.every(acts, check, before=lambda shop: shop.handle(one, other))
    assert len(ran) > 1, "nothing ever depended on who was first"


def test_the_end_of_a_pause(stepped_database: SteppedDatabase) -> None:
    every_order = EveryOrder(stepped_database, Application(on))

    def before(shop: Shop) -> None:
        shop.handle(one, other)
        shop.pause("view")

    acts: dict[str, Act] = {"operator": lambda shop: shop.resume("view"), "lanes": once}
    every_order.every(acts, lambda shop: all_is_done(shop, 0, 1), before=before)


@pytest.mark.parametrize("what", ["release", "discard"])
def test_an_operator_has_what_a_lane_is_about_to_run(stepped_database: SteppedDatabase, what: str) -> None:
    """Who has it first has it; of what was discarded, the rest of the key goes on."""
    every_order = Discarding(stepped_database, Application(on))
    units: list[Unit] = []
    ends: set[tuple[int, ...]] = set()

    def before(shop: Shop) -> None:
        shop.handle(one, other)
        units[:] = [chosen(shop)[0]._replace(ids=tuple(shop.rows("parked", "id")[0]))]

    def operator(shop: Shop) -> None:
        if what == "release":
            apply(shop, Release(shop.application, shop.clock))
        else:
            apply(
                shop,
                Discard(shop.application, parked, shop.clock),
                events=(json.loads(one.value() or b"")["id"],),
            )

    def check(shop: Shop) -> None:
        ShopLanes(shop, "view").work()
        ends.add(tuple(shop.done("view")))
        nothing_is_left(shop)

    acts: dict[str, Act] = {"operator": operator, "lanes": lambda shop: ShopLanes(shop, "view").run(units)}
    every_order.every(acts, check, before=before)
    assert ends == ({(0, 1)} if what == "release" else {(0, 1), (1,)})


def test_a_view_parks_while_its_session_starts_in_a_lane(stepped_database: SteppedDatabase) -> None:
    """A prerequisite's commit: nobody waits for what is met, whoever came first."""
    every_order = EveryOrder(stepped_database, Application(needing))
    units: list[Sequence[Unit]] = []

    def before(shop: Shop) -> None:
        shop.handle(started)
        units[:] = [ShopLanes(shop, "start").choose()]

    acts: dict[str, Act] = {
        "starter": lambda shop: ShopLanes(shop, "start").run(units[0]),
        "viewer": lambda shop: shop.handle(one),
    }
    every_order.every(acts, lambda shop: all_is_done(shop, 0), before=before)


def test_a_view_is_chosen_while_it_is_released(stepped_database: SteppedDatabase) -> None:
    every_order = EveryOrder(stepped_database, Application(needing))
    units: list[Sequence[Unit]] = []

    def before(shop: Shop) -> None:
        shop.handle(one, other)
        shop.handle(started)
        units[:] = [ShopLanes(shop, "start").choose()]

    acts: dict[str, Act] = {"starter": lambda shop: ShopLanes(shop, "start").run(units[0]), "lanes": once}
    every_order.every(acts, lambda shop: all_is_done(shop, 0, 1), before=before)


def test_so_many_of_a_key_in_each_worker(stepped_database: SteppedDatabase) -> None:
    """Without order both workers may run the key, but not the same event."""
    every_order = EveryOrder(stepped_database, Application(loose))
    units: list[Sequence[Unit]] = []

    def before(shop: Shop) -> None:
        shop.handle(one, other)
        units[:] = [chosen(shop, Room(2, 1, per_key=1)) for _ in range(2)]
        assert [len(ours) for ours in units] == [1, 1]

    def check(shop: Shop) -> None:
        ShopLanes(shop, "view").work()
        assert sorted(shop.done("view")) == [0, 1]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "one": lambda shop: ShopLanes(shop, "view").run(units[0]),
        "other": lambda shop: ShopLanes(shop, "view").run(units[1]),
    }
    every_order.every(acts, check, before=before)
