"""Lanes beside batches, other workers' lanes, and sweeps, one statement at a time: each event once, those of a key in
their order, and nothing is left.

What a worker's lanes choose, and what they run, are steps apart: between them nobody holds anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder
from consumers.interleavings.lane_shop import ROOM, ShopLanes, all_is_done, choose, chosen
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, announced, note
from oyez.consumers import Application, Handlers
from oyez.consumers.core.report import Report
from oyez.consumers.lanes.unit import Room, Unit
from support.stepping import SteppedDatabase

on = Handlers("shop")


@on(PageViewed, requires={}, concurrency=2)
def view(event: PageViewed, db: Connection) -> None:
    note(db, "view", event)


one, other, third = announced(*(PageViewed(session="s1", n=n) for n in range(3)))


class Workers:
    """Two workers that have chosen the same rows, since nobody holds what is chosen."""

    def __init__(self, stepped_database: SteppedDatabase, room: Room = ROOM) -> None:
        self.every_order = EveryOrder(stepped_database, Application(on))
        self.room = room
        self.units: list[list[Unit]] = []

    def begin(self, shop: Shop) -> None:
        """Two events of a key wait for a lane, and are chosen twice."""
        reports = shop.handle(one, other)
        self.units[:] = [list(chosen(shop, self.room)) for _ in range(2)]
        assert [unit.ids for unit in self.units[0]] == [unit.ids for unit in self.units[1]]
        self.know(reports)

    def know(self, reports: Sequence[Report]) -> None:
        """They read what they run."""

    def lanes(self, at: int) -> Act:
        return lambda shop: ShopLanes(shop, "view").run(self.units[at])


class Handed(Workers):
    """The first of them has parked the rows, and does not read them back."""

    def know(self, reports: Sequence[Report]) -> None:
        fresh = {row.id: row for report in reports for row in report.fresh}
        self.units[0] = [unit._replace(fresh={n: fresh[n] for n in unit.ids}) for unit in self.units[0]]


def two_are_done(shop: Shop) -> None:
    all_is_done(shop, 0, 1)


@pytest.fixture
def workers(stepped_database: SteppedDatabase) -> Workers:
    return Workers(stepped_database)


@pytest.fixture(params=[Workers, Handed])
def either(request: pytest.FixtureRequest, stepped_database: SteppedDatabase) -> Workers:
    made: Workers = request.param(stepped_database)
    return made


def sweep(shop: Shop) -> object:
    """As a version without lanes has it."""
    return shop.claim("steps.page.viewed")


def test_they_choose_while_a_batch_parks_behind(workers: Workers) -> None:
    def check(shop: Shop) -> None:
        all_is_done(shop, 0, 1, 2)

    acts: dict[str, Act] = {"batch": lambda shop: shop.handle(third), "choose": choose}
    workers.every_order.every(acts, check, before=lambda shop: shop.handle(one, other))


def test_they_run_while_a_batch_parks_behind(either: Workers) -> None:
    """What is put behind a head that is about to be deleted is found by the next choice."""
    found_later: set[bool] = set()

    def check(shop: Shop) -> None:
        found_later.add((None,) in shop.rows("parked", "due_at"))
        all_is_done(shop, 0, 1, 2)

    acts: dict[str, Act] = {"batch": lambda shop: shop.handle(third), "lanes": either.lanes(0)}
    either.every_order.every(acts, check, before=either.begin)
    assert found_later == {True, False}


@pytest.mark.parametrize(
    ("kind", "size"), [(Workers, 1), (Workers, 8), (Handed, 1)], ids=["one by one", "together", "handed"]
)
def test_both_run_what_both_have_chosen(
    stepped_database: SteppedDatabase, kind: type[Workers], size: int
) -> None:
    workers = kind(stepped_database, Room(2, size))
    acts: dict[str, Act] = {"one": workers.lanes(0), "other": workers.lanes(1)}
    workers.every_order.every(acts, two_are_done, before=workers.begin)
    assert not workers.every_order.waited, "what somebody else has claimed is left to him"


def test_one_runs_while_the_other_chooses(workers: Workers) -> None:
    acts: dict[str, Act] = {"lanes": workers.lanes(0), "choose": choose}
    workers.every_order.every(acts, two_are_done, before=workers.begin)


def test_a_sweep(either: Workers) -> None:
    acts: dict[str, Act] = {"lanes": either.lanes(0), "sweep": sweep}
    either.every_order.every(acts, two_are_done, before=either.begin)
