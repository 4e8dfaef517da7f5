"""A row behind a head is deleted while the head is run: what stands behind both goes on, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from consumers.admin.test_interleavings import (
    VIEWS,
    Discarding,
    _stepped_database,
    apply,
    claim,
    stepped_database,
    visits,
)
from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, Script, SessionStarted, announced
from oyez.consumers.admin import Discard
from oyez.consumers.database.tables import parked

__all__ = ["_stepped_database", "stepped_database", "visits"]


def behind_one(script: Script) -> Callable[[Shop], None]:
    """The first view of three has failed and is due again; that two are behind it is noted no more."""

    def before(shop: Shop) -> None:
        script.fails("view", 1)
        views = [PageViewed(session="s1", n=n) for n in (1, 2, 3)]
        shop.handle(*announced(SessionStarted(session="s1"), *views))
        shop.sweep()
        assert (shop.rows("behind", "id"), len(shop.rows("parked", "id"))) == ([], 3)
        script.works("view", 1)
        shop.clock.now += 10

    return before


def discard_second(shop: Shop) -> object:
    """Discard what stands second in the only key."""
    with shop.engine.connect() as db:
        ids = list(db.execute(select(parked.c.event_id).order_by(parked.c.rank, parked.c.id)).scalars())
    operation = Discard(shop.application, parked, shop.clock)
    return apply(shop, operation, events=tuple(ids[1:2])) if len(ids) == 3 else None


def test_discarded_while_the_head_is_done(visits: tuple[Discarding, Script]) -> None:
    every_order, script = visits
    ends: set[tuple[int, ...]] = set()

    def check(shop: Shop) -> None:
        shop.sweep()
        nothing_is_left(shop)
        ends.add(tuple(shop.done("view")))

    acts = {"sweeper": claim(VIEWS), "operator": discard_second}
    every_order.every(acts, check, before=behind_one(script), batch=1)
    assert (1, 3) in ends
    assert every_order.rolled_back == 0
