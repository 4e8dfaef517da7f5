"""The lanes of one handler in one process, in the thread that asks: what they choose, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Shop
from oyez.consumers.core.apart import OWN
from oyez.consumers.core.report import Report
from oyez.consumers.database import start_notes
from oyez.consumers.database.tables import parked
from oyez.consumers.execution.pauses import Pauses
from oyez.consumers.lanes.choosing import Choosing
from oyez.consumers.lanes.lane import Lane, LaneDatabase
from oyez.consumers.lanes.unit import Busy, Room, Unit
from oyez.consumers.retry.retrying import ALONE

GROUP = "shop.steps.page.viewed"
ROOM = Room(2, 1)
PASSES = 20


class ShopLanes:
    """Steps of a dispatcher, one after the other. One that is stepped has nothing beside it but other processes."""

    def __init__(self, shop: Shop, handler: str) -> None:
        (group,) = (one for one in shop.application.groups.values() if handler in one.by_name)
        self._shop = shop
        self._group = group
        self._pauses = Pauses(shop.database, group, shop.clock)
        self.choosing = Choosing(group, group.by_name[handler], shop.database, shop.clock, OWN, self._pauses)

    def lane(self) -> Lane:
        """One of its lanes."""
        return Lane(
            lambda database: self._shop.execution(self._group, database, self._pauses),
            lambda stopping: LaneDatabase(self._shop.engine, sleep=lambda _seconds: None, stopping=stopping),
            self._shop.clock,
            self._sleep,
        )

    def _sleep(self, _seconds: float) -> None:
        """It is long enough for others to come to an end who have a row locked."""
        with self._shop.engine.begin() as db:
            db.execute(select(parked.c.id).with_for_update())

    def choose(self, room: Room = ROOM, busy: Busy | None = None) -> Sequence[Unit]:
        """What is to be run, noted."""
        return self.choosing.choose(busy or Busy(), room).units

    def run(self, units: Sequence[Unit]) -> list[Report]:
        """Run these, and forget their notes."""
        reports: list[Report] = []
        for unit in units:
            self.lane().run(unit, reports.append, lambda: False, lambda: 1)
        self.choosing.forget(unit.number for unit in units)
        return reports

    def once(self, room: Room = ROOM) -> list[Report]:
        """Choose and run."""
        return self.run(self.choose(room))

    def work(self, room: Room = ROOM) -> None:
        """Until nothing is due."""
        for _ in range(PASSES):
            if not self.once(room):
                return
        raise AssertionError("there is no end to what is due")


def chosen(shop: Shop, room: Room = ROOM) -> Sequence[Unit]:
    """What the lanes of a worker are about to run."""
    return ShopLanes(shop, "view").choose(room)


def choose(shop: Shop) -> None:
    """The same, for whoever does not run it."""
    chosen(shop)


def all_is_done(shop: Shop, *numbers: int) -> None:
    """Lanes alone see to the rest: these events are handled, in this order, and nothing is left."""
    ShopLanes(shop, "view").work()
    done = shop.done("view")
    assert done == list(numbers), done
    nothing_is_left(shop)


def count_abandoned(shop: Shop) -> int:
    """As each worker does in its sweep: the starts that nobody has finished; of how many rows. It looks first, which is
    a step: what time it is then depends on what others have done."""
    shop.rows("start", "id")

    def work(db: Connection) -> int:
        return start_notes.count_abandoned(db, GROUP, ALONE, shop.clock()).counted

    return shop.database.repeat(work)
