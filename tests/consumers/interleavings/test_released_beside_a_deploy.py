"""A deploy makes due what its handler does not require any more, while others release what waits for the same: all that
waits is released, and it is noted as long as anything is left."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Joined, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.database import releasing
from oyez.consumers.database.mark_met import go_on
from oyez.consumers.upkeep import after_deploy
from oyez.consumers.upkeep.after_deploy import NotRequired
from support.stepping import SteppedDatabase

GROUP = "all"
COUNT = 4


def version(*requiring: str) -> Application:
    """The application, of whose handlers some require that the session has started."""
    on = Handlers("shop")

    @on(SessionStarted)
    def start(event: SessionStarted, db: Connection) -> None:
        note(db, "start", event)

    for name in ("join", "welcome"):
        required = {} if name in requiring else {"requires": {}}

        @on(Joined, name=name, group=GROUP, **required)
        def joined(event: Joined, db: Connection, name: str = name) -> None:
            note(db, name, event)

    return Application(on)


BEFORE, AFTER = version("join", "welcome"), version("welcome")
events = announced(*(Joined(room="r1", guest=f"g{n}", n=n) for n in range(COUNT)))
(started,) = announced(SessionStarted(session="r1"))


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 2)
    monkeypatch.setattr(after_deploy, "STEP", 2)


def deploy(shop: Shop) -> None:
    NotRequired(AFTER.group(GROUP)).step(shop.database, shop.clock.now)


def release(shop: Shop) -> None:
    group = shop.executions[f"shop.{GROUP}"].group
    shop.database.repeat(lambda db: go_on(db, group.app, group.name, shop.clock.now))


def meet(shop: Shop) -> None:
    shop.handle(started)


def wait(shop: Shop) -> None:
    shop.handle(*events)


def wait_and_begin(shop: Shop) -> None:
    wait(shop)
    shop.handle(started)


def check(shop: Shop) -> None:
    shop.run_due()
    nothing_is_left(shop)
    assert shop.rows("releasing", "group_name") == []
    assert sorted(shop.done("join")) == sorted(shop.done("welcome")) == list(range(COUNT))


@pytest.mark.parametrize(
    ("before", "acts"),
    [
        (wait, {"deploy": deploy, "meet": meet}),
        (wait_and_begin, {"deploy": deploy, "release": release}),
        (wait_and_begin, {"one": deploy, "two": deploy, "release": release}),
    ],
    ids=["met", "gone on", "two deploys"],
)
def test_what_waits_is_released_beside_a_deploy(
    stepped_database: SteppedDatabase, before: Act, acts: dict[str, Act]
) -> None:
    EveryOrder(stepped_database, BEFORE).every(acts, check, before=before)
