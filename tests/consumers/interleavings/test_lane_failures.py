"""What fails in a lane, takes long, is given up or is not ready, while others come between its transactions: it is
written once, holds its key, and nobody is taken for dead."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest
from sqlalchemy import Connection

from consumers.interleavings.every_order import Act, EveryOrder
from consumers.interleavings.lane_shop import ShopLanes, all_is_done, chosen, count_abandoned
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers, NotReady
from oyez.consumers.core.record import Record
from oyez.consumers.database import start_notes
from oyez.consumers.database.engine import ConnectionLost
from oyez.consumers.lanes.lane import Lane
from oyez.consumers.lanes.unit import Unit
from support.exploring import Choose
from support.stepping import Step, SteppedDatabase

one, other, third = announced(*(PageViewed(session="s1", n=n) for n in range(3)))
(started,) = announced(SessionStarted(session="s1"))
LIMIT = 10.0
BEGIN = 1_000_000.0
OLD = start_notes.UNDER_WAY + 1.0


class Timed(EveryOrder):
    """Each order begins at the same time."""

    def play(self, acts: Mapping[str, Act], choose: Choose, *, batch: int = 500) -> list[tuple[Step, bool]]:
        self.clock.now = BEGIN
        return super().play(acts, choose, batch=batch)


class Trouble:
    """A handler that is in trouble with event 0 until an order is checked, and workers that have chosen it."""

    def __init__(
        self,
        stepped_database: SteppedDatabase,
        error: BaseException | None = None,
        *,
        events: Sequence[Record] = (one, other),
        workers: int = 1,
    ) -> None:
        handlers = Handlers("shop")

        @handlers(SessionStarted, concurrency=2)
        def start(event: SessionStarted, db: Connection) -> None:
            note(db, "start", event)

        @handlers(PageViewed, requires={}, concurrency=2)
        def view(event: PageViewed, db: Connection) -> None:
            self.every_order.clock.now += self.seconds
            lane = self.abandoned.pop(threading.current_thread().name, None)
            if lane is not None:
                lane._is_abandoned = True  # and its connection cannot be ended: see `LaneDatabase`
            if error is not None and event.n == 0 and not self.is_over:
                raise error
            note(db, "view", event)

        self.is_over = False
        self.seconds = 0.0
        self.abandoned: dict[str, Lane] = {}
        """By the thread of each: lanes that are given up when they call the handler."""
        self.units: list[Sequence[Unit]] = []
        self._events = events
        self._workers = workers
        self.every_order = Timed(stepped_database, Application(handlers))
        self.every_order.clock.now = BEGIN

    def every(self, acts: dict[str, Act], check: Act, before: Act | None = None) -> None:
        def checked(shop: Shop) -> None:
            self.is_over = True
            try:
                check(shop)
            finally:
                self.is_over = False

        self.every_order.every(acts, checked, before=before or self.begin)

    def lanes(self, at: int) -> Act:
        return lambda shop: ShopLanes(shop, "view").run(self.units[at])

    def time_out(self, shop: Shop) -> None:
        """A lane calls the handler, and is given up; another one writes that down."""
        lanes, (unit,) = ShopLanes(shop, "view"), self.units[0]
        lane = lanes.lane()
        self.abandoned[threading.current_thread().name] = lane
        with suppress(ConnectionLost):
            lane.run(unit, lambda _report: None, lambda: False, lambda: 1)
        lanes.lane().time_out(unit, unit.ids[0], LIMIT)
        lanes.choosing.forget([unit.number])

    def begin(self, shop: Shop) -> None:
        """They arrive, and are chosen."""
        shop.handle(*self._events)
        self.units[:] = [chosen(shop) for _ in range(self._workers)]


def parked(shop: Shop) -> list[tuple[int, int]]:
    """Of what is parked: attempts, and workers that are said to have died on it."""
    return shop.rows("parked", "attempts", "starts")


def later(shop: Shop, *numbers: int) -> None:
    shop.clock.now += 100.0
    all_is_done(shop, *numbers)


def batch(shop: Shop) -> object:
    return shop.handle(other)


def sweep(shop: Shop) -> object:
    return shop.claim("steps.page.viewed")


@pytest.mark.parametrize("beside", ["batch", "lanes", "sweep"])
def test_a_failure_is_written_in_the_next_transaction(stepped_database: SteppedDatabase, beside: str) -> None:
    trouble = Trouble(stepped_database, RuntimeError("as told"), events=(one,), workers=2)
    acts = {"batch": batch, "lanes": trouble.lanes(1), "sweep": sweep}

    def check(shop: Shop) -> None:
        shop.handle(other)
        assert shop.done("view") == []
        assert parked(shop) == [(1, 0), (0, 0)]
        later(shop, 0, 1)

    trouble.every({"failing": trouble.lanes(0), beside: acts[beside]}, check)


def test_a_failure_after_long_is_no_death(stepped_database: SteppedDatabase) -> None:
    """The note is old when the transaction is undone, and nobody holds it until the next one."""
    trouble = Trouble(stepped_database, RuntimeError("as told"))
    trouble.seconds = OLD

    def check(shop: Shop) -> None:
        count_abandoned(shop)
        assert parked(shop) == [(1, 0), (0, 0)]
        later(shop, 0, 1)

    trouble.every({"failing": trouble.lanes(0), "counting": count_abandoned}, check)


def test_what_follows_something_slow_in_its_lane_has_seen_no_death(stepped_database: SteppedDatabase) -> None:
    trouble = Trouble(stepped_database, events=(one, other, third))
    trouble.seconds = OLD

    def check(shop: Shop) -> None:
        assert trouble.every_order.results["counting"] == 0
        all_is_done(shop, 0, 1, 2)

    trouble.every({"lanes": trouble.lanes(0), "counting": count_abandoned}, check)


def test_what_took_too_long_is_written_by_another_lane(stepped_database: SteppedDatabase) -> None:
    """Unless somebody has run it as soon as it was free."""
    trouble = Trouble(stepped_database, events=(one,), workers=2)

    def check(shop: Shop) -> None:
        assert (shop.done("view"), parked(shop)) in (([0], []), ([], [(1, 0)]))
        later(shop, 0)

    trouble.every({"given up": trouble.time_out, "lanes": trouble.lanes(1)}, check)


def test_what_took_too_long_is_no_death(stepped_database: SteppedDatabase) -> None:
    trouble = Trouble(stepped_database)
    trouble.seconds = OLD

    def check(shop: Shop) -> None:
        count_abandoned(shop)
        assert parked(shop) == [(1, 0), (0, 0)]
        later(shop, 0, 1)

    trouble.every({"given up": trouble.time_out, "counting": count_abandoned}, check)


def test_it_is_not_ready_while_what_it_waits_for_is_met(stepped_database: SteppedDatabase) -> None:
    trouble = Trouble(stepped_database, NotReady(SessionStarted, "s1"), events=(one, started))
    starting: list[Sequence[Unit]] = []

    def before(shop: Shop) -> None:
        trouble.begin(shop)
        starting[:] = [ShopLanes(shop, "start").choose()]

    def check(shop: Shop) -> None:
        later(shop, 0)
        assert [met is not None for (met,) in shop.rows("prerequisite", "met_at")] == [True]

    acts: dict[str, Act] = {
        "not ready": trouble.lanes(0),
        "starter": lambda shop: ShopLanes(shop, "start").run(starting[0]),
    }
    trouble.every(acts, check, before)
