"""More wait for a prerequisite than are released at once: each is handled, once, in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Joined, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.database import releasing
from oyez.consumers.database.mark_met import go_on
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(Joined)
def join(event: Joined, db: Connection) -> None:
    note(db, "join", event)


@on(Joined, group="welcome", order="none")
def welcome(event: Joined, db: Connection) -> None:
    note(db, "welcome", event)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 2)


def test_every_group_releases_what_waits_in_it(opened: Callable[..., Shop]) -> None:
    shop = opened(on)
    shop.handle(*announced(*(Joined(room="r1", guest=f"g{n % 5}", n=n) for n in range(20))))
    shop.handle(*announced(SessionStarted(session="r1")))
    assert [group for (group,) in shop.rows("releasing", "group_name")] == [
        "shop.steps.joined",
        "shop.welcome",
    ]
    shop.run_due("steps.joined")
    assert sorted(shop.done("join")) == list(range(20))
    assert [[n for n in shop.done("join") if n % 5 == guest] for guest in range(5)] == [
        [guest, guest + 5, guest + 10, guest + 15] for guest in range(5)
    ]
    assert [group for (group,) in shop.rows("releasing", "group_name")] == ["shop.welcome"]
    shop.run_due("welcome")
    assert sorted(shop.done("welcome")) == list(range(20))
    nothing_is_left(shop)
    assert shop.rows("releasing", "group_name") == []


def test_what_died_waiting_is_revived_in_steps(opened: Callable[..., Shop]) -> None:
    shop = opened(on)
    shop.handle(*announced(*(Joined(room="r1", guest=f"g{n}", n=n) for n in range(7))))
    shop.clock.now += 86_400.0
    shop.sweep()
    assert len(shop.rows("dead", "id")) == 14
    shop.handle(*announced(SessionStarted(session="r1")))
    shop.run_due()
    assert sorted(shop.done("join")) == sorted(shop.done("welcome")) == list(range(7))
    nothing_is_left(shop)


def test_two_release_while_one_runs_what_is_due(stepped_database: SteppedDatabase) -> None:
    events = announced(*(Joined(room="r1", guest="g1" if n < 2 else f"g{n}", n=n) for n in range(6)))
    (started,) = announced(SessionStarted(session="r1"))

    def before(shop: Shop) -> None:
        shop.handle(*events)
        shop.handle(started)
        shop.run_due("welcome")

    def release(shop: Shop) -> None:
        group = shop.executions["shop.steps.joined"].group
        shop.database.repeat(lambda db: go_on(db, group.app, group.name, shop.clock.now))

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        assert shop.rows("releasing", "group_name") == []
        assert sorted(shop.done("join")) == [0, 1, 2, 3, 4, 5]
        assert [n for n in shop.done("join") if n < 2] == [0, 1]

    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(
        {"one": release, "other": release, "runner": lambda shop: shop.claim("steps.joined")},
        check,
        before=before,
    )
