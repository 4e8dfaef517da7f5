"""A sweep looks at a key in which a head begins to wait for what is just parked behind it."""

from __future__ import annotations

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import Replied, Script, announced
from oyez.consumers import Application, Handlers
from support.stepping import SteppedDatabase

CHAIN = [Replied(reply=str(n), parent=str(n - 1) if n > 1 else None, n=n) for n in (1, 2)]
other, first, second = announced(Replied(reply="other", n=9), *CHAIN)


def test_nobody_waits_for_another(stepped_database: SteppedDatabase) -> None:
    on = Handlers("shop")
    script = Script(on)
    script.handler("reply", Replied)

    def before(shop: Shop) -> None:
        script.fails("reply", 9)
        shop.handle(other)
        shop.handle(second)
        script.works("reply", 9)
        shop.clock.now += 10

    def check(shop: Shop) -> None:
        shop.sweep()
        assert shop.done("reply") == [9, 1, 2]
        nothing_is_left(shop)
        assert shop.rows("behind", "id") == []

    acts: dict[str, Act] = {
        "listener": lambda shop: shop.handle(first),
        "claimer": lambda shop: shop.claim("steps.replied"),
        "looker": look,
    }
    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(acts, check, before=before)
    assert every_order.rolled_back == 0, "a deadlock"


def look(shop: Shop) -> bool:
    """Look at the keys that were noted."""
    return shop.retrying["shop.steps.replied"]._look_behind(lambda: False)
