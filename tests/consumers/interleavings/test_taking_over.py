"""Two workers that believe in the same partition, and an event that arrives twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop, partition
from consumers.interleavings.signals import PageViewed, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.core.record import Record
from oyez.consumers.database import positions
from oyez.consumers.database.positions import Held, Move
from oyez.consumers.execution.batch import Fenced
from support.stepping import SteppedDatabase

on = Handlers("shop")
GROUP = "shop.steps.page.viewed"
PARTITION = partition(0)


@on(PageViewed, requires={})
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


records = announced(*(PageViewed(session="s1", n=n) for n in range(4)))


def _take(shop: Shop) -> Held:
    with shop.database.transaction() as db:
        positions.begin(db, GROUP, {PARTITION: 0}, 0.0)
        return positions.acquire(db, GROUP, PARTITION, "worker", 0.0)


def _handle_from(shop: Shop, held: Held, events: Sequence[Record]) -> bool:
    """Handle events as the owner with that epoch; whether it was let."""
    start = held.position
    try:
        shop.handle(*events, moves=[Move(PARTITION, held.epoch, start, start + len(events))])
    except Fenced as fenced:
        return fenced.partitions != (PARTITION,)
    return True


def test_a_worker_that_lost_its_partition_is_fenced(stepped_database: SteppedDatabase) -> None:
    """The old owner has read two records; its successor takes the partition, and reads as many as there are."""
    every_order = EveryOrder(stepped_database, Application(on))
    old: list[Held] = []
    fenced: list[bool] = []

    def before(shop: Shop) -> None:
        old[:] = [_take(shop)]

    def former(shop: Shop) -> None:
        fenced.append(not _handle_from(shop, old[0], records[:2]))

    def successor(shop: Shop) -> None:
        held = _take(shop)
        assert _handle_from(shop, held, records[held.position :])

    def check(shop: Shop) -> None:
        assert shop.done("view") == [0, 1, 2, 3]
        assert shop.rows("position", "position", "epoch") == [(4, 2)]
        nothing_is_left(shop)

    acts: dict[str, Act] = {"former": former, "successor": successor}
    every_order.every(acts, check, before=before)
    assert set(fenced) == {False, True}


@pytest.mark.parametrize(("epoch", "believed"), [(1, 0), (2, 1), (2, 3), (3, 2)])
def test_only_its_own_epoch_and_position_move_it(
    stepped_database: SteppedDatabase, epoch: int, believed: int
) -> None:
    shop = EveryOrder(stepped_database, Application(on)).shop()
    _take(shop)
    assert _handle_from(shop, _take(shop), records[:2])
    assert not _handle_from(shop, Held(believed, epoch), records[2:])
    assert shop.rows("position", "position", "epoch") == [(2, 2)]
    assert shop.done("view") == [0, 1]
    assert len(shop.rows("inbox", "event_id")) == 2


def test_an_event_that_arrives_twice_is_handled_once(stepped_database: SteppedDatabase) -> None:
    """In one batch, in two batches at once, and again later."""

    def check(shop: Shop) -> None:
        shop.handle(*records[:3])
        assert shop.done("view") == sorted(shop.done("view")) == [0, 1, 2]
        nothing_is_left(shop)

    acts: dict[str, Act] = {
        "one": lambda shop: shop.handle(records[0], records[1], records[1]),
        "other": lambda shop: shop.handle(records[0], records[1], records[2]),
    }
    every_order = EveryOrder(stepped_database, Application(on))
    every_order.every(acts, check)
    assert every_order.waited, "neither ever waited for what the other was putting into the inbox"
