"""An event is delivered to a handler at the very moment at which another of its key begins to wait for it."""

from __future__ import annotations

from consumers.interleavings.conftest import _stepped_database, stepped_database
from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import TOPIC, Replied, Script, announced
from oyez.consumers import Application, Handlers
from oyez.consumers.replay.choosing import Picked
from oyez.consumers.replay.delivering import Delivered, Delivering
from oyez.consumers.replay.identity import kept
from oyez.consumers.replay.sources import Kept
from oyez.schemas.replaying import stored_event
from support.stepping import SteppedDatabase

__all__ = ["_stepped_database", "stepped_database"]

parent, child, other = announced(
    Replied(reply="1", n=1), Replied(reply="2", parent="1", n=2), Replied(reply="0", n=0)
)


def replay(shop: Shop) -> Delivered:
    """Deliver the parent to the handler."""
    (handler,) = shop.application.handlers
    group = shop.application.groups[handler.group]
    value = parent.value()
    assert value is not None
    stored = Kept("here", TOPIC, value, parent.key(), parent.headers())
    picked = Picked(stored, stored_event(value), 0)
    made = Delivering(group, handler, shop.database, shop.clock, identity=kept, run="r")
    return made.step([picked])


def prepared(stepped_database: SteppedDatabase) -> tuple[EveryOrder, Script]:
    on = Handlers("shop")
    script = Script(on)
    script.handler("reply", Replied)
    return EveryOrder(stepped_database, Application(on)), script


def test_its_child_arrives(stepped_database: SteppedDatabase) -> None:
    every_order, _ = prepared(stepped_database)

    def check(shop: Shop) -> None:
        shop.sweep()
        assert shop.done("reply") == [1, 2]
        nothing_is_left(shop)

    acts: dict[str, Act] = {"listener": lambda shop: shop.handle(child), "operator": replay}
    every_order.every(acts, check)


def test_its_child_is_claimed(stepped_database: SteppedDatabase) -> None:
    """It was behind another one, and is the head now."""
    every_order, script = prepared(stepped_database)

    def before(shop: Shop) -> None:
        script.fails("reply", 0)
        shop.handle(other)
        shop.handle(child)
        shop.sweep()
        script.works("reply", 0)
        shop.clock.now += 10

    def check(shop: Shop) -> None:
        shop.sweep()
        assert shop.done("reply") == [0, 1, 2]
        nothing_is_left(shop)

    acts: dict[str, Act] = {"sweeper": lambda shop: shop.claim("steps.replied"), "operator": replay}
    every_order.every(acts, check, before=before)
