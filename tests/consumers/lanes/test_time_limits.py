"""Time limits of handlers in lanes: what takes too long has failed, its effects are undone, and others go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from consumers.pipeline import Placed, Play, effects, note
from oyez.consumers import Handlers
from oyez.consumers.database.tables import parked
from oyez.consumers.lanes.lanes import HandlersHang
from oyez.consumers.lanes.unit import Busy, Room
from support.waiting import eventually

LIMIT = 30.0  # s


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set when the test ends, so that no thread hangs for longer."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("where", ["asleep", "in the database"])
def test_a_task_is_cancelled(many: Play, where: str) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=3, timeout=3)
    async def noted(event: Placed, db: AsyncSession) -> None:
        await db.execute(insert(effects).values(handler="noted", n=event.n))
        if event.n == 1 and where == "asleep":
            await asyncio.Event().wait()
        elif event.n == 1:
            await db.execute(text("SELECT pg_sleep(60)"))

    pipeline = many(on)
    pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(5)])
    assert sorted(pipeline.effects()) == [0, 2, 3, 4]
    assert pipeline.parked() == [("noted", 1, "TimedOut: took longer than its timeout of 3 s")]
    assert pipeline.rows("parked", "attempts") == [1]
    assert not pipeline.rows("start")


def test_a_timeout_error_of_its_own_is_no_time_limit(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Placed, timeout=LIMIT)
    async def noted(event: Placed) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    pipeline = lanes(on)
    pipeline.handle(Placed(n=1))
    assert pipeline.parked() == [("noted", 1, "TimeoutError: ")]


def test_a_thread_is_given_up(many: Play, released: threading.Event) -> None:
    on = Handlers("shop")
    returned: list[int] = []

    @on(Placed, concurrency=3, timeout=10)
    def noted(event: Placed, db: Session) -> None:
        note(db, "noted", event.n)
        if event.n == 1 and not released.is_set():
            pipeline.clock.now += 100.0
            released.wait(LIMIT)
            returned.append(1)

    pipeline = many(on)
    pipeline.handle(Placed(k="a", n=1))
    assert pipeline.parked() == [("noted", 1, "TimedOut: took longer than its timeout of 10 s")]
    pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(2, 6)])
    assert sorted(pipeline.effects()) == [2, 3, 4, 5]
    released.set()
    eventually(lambda: returned)
    assert 1 not in pipeline.effects(), "what was given up was committed after all"
    pipeline.later()
    assert sorted(pipeline.effects()) == [1, 2, 3, 4, 5]


def test_a_server_that_is_slow_to_let_go_is_waited_for(many: Play) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=1, timeout=10)
    def noted(event: Placed, db: Session) -> None: ...

    pipeline = many(on)
    pipeline.announce(Placed(n=1))
    worker = pipeline.workers["shop.placed"]
    eventually(lambda: worker.step() == 1)
    lanes: Any = worker._lanes
    lanes._begin()
    (dispatcher,) = lanes._dispatchers
    (unit,) = dispatcher.choosing.choose(Busy(), Room(1, 1)).units
    lane = dispatcher._make_lane()
    with pipeline.engine.connect() as other:
        other.execute(select(parked.c.id).with_for_update())
        lane._sleep = lambda _seconds: other.rollback()
        report = lane.time_out(unit, *unit.ids, 10)
    assert report.retried == 1
    assert pipeline.rows("parked", "attempts") == [1]


def test_a_thread_that_waits_in_the_database_comes_back(many: Play) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=2, timeout=10)
    def noted(event: Placed, db: Session) -> None:
        note(db, "noted", event.n)
        if event.n == 1:
            pipeline.clock.now += 100.0
            db.execute(text("SELECT pg_sleep(60)"))

    pipeline = many(on)
    pipeline.handle(Placed(k="a", n=1))
    assert pipeline.parked()[0][2].startswith("TimedOut")
    lanes = pipeline.workers["shop.placed"]._lanes
    (dispatcher,) = lanes._dispatchers  # type: ignore[union-attr]
    eventually(lambda: dispatcher.hanging == 0)


def test_too_many_that_hang_end_the_worker(many: Play, released: threading.Event) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=1, timeout=10, order="none")
    def noted(event: Placed) -> None:
        pipeline.clock.now += 100.0
        released.wait(LIMIT)

    pipeline = many(on)
    with pytest.raises(HandlersHang, match=r"noted: 2 calls took longer than their timeout"):
        pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(4)])
    assert len(pipeline.rows("parked")) == 4
