"""Somebody looks at what is behind a head while it is run, and while another row is put behind it."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.interleavings.every_order import EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
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


def look(shop: Shop) -> bool:
    """Look at the keys that were noted."""
    return shop.retrying["shop.steps.page.viewed"]._look_behind(lambda: False)


def test_a_note_stays_as_long_as_its_head_may_be_deleted(stepped_database: SteppedDatabase) -> None:
    started, *views = announced(
        SessionStarted(session="s1"), *(PageViewed(session="s1", n=n) for n in (1, 2))
    )
    left_behind = 0

    def before(shop: Shop) -> None:
        shop.handle(views[0])
        shop.handle(started)

    def check(shop: Shop) -> None:
        nonlocal left_behind
        shop.run_due()
        left = shop.rows("parked", "due_at", "wait_signal")
        assert left in ([], [(None, None)])
        left_behind += len(left)
        look(shop)
        shop.run_due()
        nothing_is_left(shop)
        assert shop.rows("behind", "id") == []
        assert shop.done("view") == [1, 2]

    every_order = EveryOrder(stepped_database, Application(on))
    explored = every_order.every(
        {
            "listener": lambda shop: shop.handle(views[1]),
            "claimer": lambda shop: shop.claim("steps.page.viewed"),
            "looker": look,
        },
        check,
        before=before,
    )
    assert 0 < left_behind < explored.runs
