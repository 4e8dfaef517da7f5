"""Views of one key that are released together, and three sweepers that claim them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, history, rows
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.core.record import Record
from support.stepping import Step, SteppedDatabase

on = Handlers("shop")


@on(SessionStarted)
def start(event: SessionStarted, db: Connection) -> None:
    note(db, "start", event)


@on(PageViewed)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


started, *views = announced(SessionStarted(session="s1"), *(PageViewed(session="s1", n=n) for n in (1, 2, 3)))


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize("each_waits", [False, True], ids=["behind", "each"])
def test_they_run_in_order_and_once(stepped_database: SteppedDatabase, batch: int, each_waits: bool) -> None:
    """Behind one another; or, parked by three processes that could not see one another, each for the prerequisite."""
    every_order = EveryOrder(stepped_database, Application(on))

    def before(shop: Shop) -> None:
        if each_waits:
            _park_unseen(every_order)
        else:
            shop.handle(*views)
        with shop.engine.connect() as db:
            found = [signal is not None for (signal,) in rows(db, "parked", "wait_signal")]
        assert found == [True, each_waits, each_waits]
        shop.handle(started)

    def sweep(shop: Shop) -> None:
        shop.claim("steps.page.viewed")

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        with shop.engine.connect() as db:
            assert history(db, "view") == [("view", 1), ("view", 2), ("view", 3)]

    every_order.every({"one": sweep, "two": sweep, "three": sweep}, check, before=before, batch=batch)
    assert not every_order.waited, "a row that somebody else has claimed is skipped, not waited for"


def _park_unseen(every_order: EveryOrder) -> None:
    """Each looks for parked rows of the key before any of them has parked one."""

    def look_first(possible: Sequence[Step]) -> Step:
        looking = [
            step for step in possible if "INSERT INTO oyez_prerequisite" not in step.what and not step.ends
        ]
        return (looking or possible)[0]

    acts: dict[str, Act] = {str(view.offset()): partial(_handle, view) for view in views}
    every_order.play(acts, look_first)


def _handle(view: Record, shop: Shop) -> None:
    shop.handle(view)
