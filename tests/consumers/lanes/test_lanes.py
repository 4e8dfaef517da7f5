"""Handlers in lanes: each event once, those of a key in their order and never at once; failures undo one event."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from consumers.lanes.lane_pipeline import Seen
from consumers.pipeline import Opened, Placed, Play, Viewed, effects, note
from oyez.consumers import Handlers, NotReady, Reject
from support.waiting import eventually

KEYS = 7
EVENTS = 90


def in_threads(on: Handlers, seen: Seen, **said: Any) -> None:
    @on(Placed, concurrency=5, **said)
    def noted(event: Placed, db: Session) -> None:
        with seen.inside(event.k):
            note(db, "noted", event.n)


def in_tasks(on: Handlers, seen: Seen, **said: Any) -> None:
    @on(Placed, concurrency=5, **said)
    async def noted(event: Placed, db: AsyncSession) -> None:
        with seen.inside(event.k):
            await asyncio.sleep(0)
            await db.execute(insert(effects).values(handler="noted", n=event.n))


def in_tasks_of_a_connection(on: Handlers, seen: Seen, **said: Any) -> None:
    @on(Placed, concurrency=5, **said)
    async def noted(event: Placed, db: AsyncConnection) -> None:
        with seen.inside(event.k):
            await db.execute(insert(effects).values(handler="noted", n=event.n))


WAYS = [in_threads, in_tasks, in_tasks_of_a_connection]
Way = Callable[..., None]


def events(count: int = EVENTS, keys: int = KEYS) -> list[Placed]:
    return [Placed(k=f"k{n % keys}", n=n) for n in range(count)]


def in_order(numbers: list[int], keys: int = KEYS) -> bool:
    """Whether the numbers of each key are in their order."""
    of_key = [[n for n in numbers if n % keys == key] for key in range(keys)]
    return all(ours == sorted(ours) for ours in of_key)


@pytest.mark.parametrize("way", WAYS)
def test_each_once_in_the_order_of_its_key(lanes: Play, way: Way) -> None:
    on, seen = Handlers("shop"), Seen()
    way(on, seen)
    pipeline = lanes(on)
    pipeline.handle(*events())
    assert sorted(pipeline.effects()) == list(range(EVENTS))
    assert in_order(pipeline.effects())
    assert not seen.clashes
    assert pipeline.is_clean()
    assert not pipeline.rows("start")


@pytest.mark.parametrize("way", WAYS)
def test_without_order_too(lanes: Play, way: Way) -> None:
    on, seen = Handlers("shop"), Seen()
    way(on, seen, order="none")
    pipeline = lanes(on)
    pipeline.handle(*events())
    assert sorted(pipeline.effects()) == list(range(EVENTS))
    assert pipeline.is_clean()


def test_several_run_at_once(many: Play) -> None:
    on, seen = Handlers("shop"), Seen()
    together = threading.Barrier(3, timeout=30)

    @on(Placed, concurrency=3)
    def noted(event: Placed, db: Session) -> None:
        with seen.inside(event.k):
            together.wait()
            note(db, "noted", event.n)

    pipeline = many(on)
    pipeline.handle(*events(3))
    assert seen.most == 3
    assert sorted(pipeline.effects()) == [0, 1, 2]


def test_many_tasks_run_at_once(many: Play) -> None:
    on, seen = Handlers("shop"), Seen()

    @on(Placed, concurrency=8)
    async def noted(event: Placed, db: AsyncSession) -> None:
        with seen.inside(event.k):
            async with asyncio.timeout(30):
                while seen.most < 8:
                    await asyncio.sleep(0.001)
            await db.execute(insert(effects).values(handler="noted", n=event.n))

    pipeline = many(on)
    pipeline.handle(*events(8, keys=8))
    assert sorted(pipeline.effects()) == list(range(8))


def failing(on: Handlers, broken: set[int]) -> None:
    @on(Placed, concurrency=4)
    def noted(event: Placed, db: Session) -> None:
        note(db, "noted", event.n)
        if event.n in broken:
            raise ValueError("broken")


def failing_in_tasks(on: Handlers, broken: set[int]) -> None:
    @on(Placed, concurrency=4)
    async def noted(event: Placed, db: AsyncSession) -> None:
        await db.execute(insert(effects).values(handler="noted", n=event.n))
        if event.n in broken:
            raise ValueError("broken")


@pytest.mark.parametrize("way", [failing, failing_in_tasks])
def test_a_failure_undoes_its_event_alone_and_keeps_its_key(lanes: Play, way: Way) -> None:
    on, broken = Handlers("shop"), {3}
    way(on, broken)
    pipeline = lanes(on)
    pipeline.handle(*events(30, keys=5))
    assert sorted(pipeline.effects()) == [n for n in range(30) if n % 5 != 3]
    assert pipeline.parked()[0] == ("noted", 3, "ValueError: broken")
    broken.clear()
    pipeline.later()
    assert sorted(pipeline.effects()) == list(range(30))
    assert in_order(pipeline.effects(), keys=5)
    assert pipeline.is_clean()


def test_a_lone_event_that_fails_is_called_once_for_an_attempt(lanes: Play) -> None:
    on, calls = Handlers("shop"), list[int]()

    @on(Placed, concurrency=2)
    def noted(event: Placed, db: Session) -> None:
        calls.append(event.n)
        raise ValueError("no")

    pipeline = lanes(on)
    pipeline.handle(Placed(n=1))
    assert calls == [1]
    assert pipeline.rows("parked", "attempts") == [1]


def test_what_it_asks_for_by_raising(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Placed, concurrency=2, order="none")
    async def asking(event: Placed, db: AsyncSession) -> None:
        if event.n == 1:
            raise NotReady(Opened, "s1")
        if event.n == 2:
            raise Reject("never")
        await db.execute(insert(effects).values(handler="asking", n=event.n))

    pipeline = lanes(on)
    pipeline.handle(Placed(k="a", n=1), Placed(k="b", n=2), Placed(k="c", n=3))
    assert pipeline.effects("asking") == [3]
    assert pipeline.dead() == [("asking", 2, "rejected by its handler")]
    assert pipeline.rows("parked", "wait_signal", "wait_subject") == [("opened", "s1")]


def test_a_prerequisite_is_met_when_its_lane_is_done(lanes: Play) -> None:
    on = Handlers("shop")
    met: list[int] = []

    @on(Opened, concurrency=2)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)
        met.append(event.n)

    @on(Viewed, concurrency=2)
    async def viewed(event: Viewed, db: AsyncSession) -> None:
        assert met
        await db.execute(insert(effects).values(handler="viewed", n=event.n))

    pipeline = lanes(on)
    pipeline.handle(Viewed(n=1))
    assert pipeline.effects() == []
    pipeline.handle(Opened(n=2))
    assert pipeline.effects("opened") == [2]
    assert pipeline.effects("viewed") == [1]
    assert pipeline.is_clean()


def test_others_of_its_group_run_in_the_batch(lanes: Play) -> None:
    on, seen = Handlers("shop"), Seen()
    in_threads(on, seen, group="all")

    @on(Placed, group="all")
    def at_once(event: Placed, db: Connection) -> None:
        note(db, "at_once", event.n)

    pipeline = lanes(on)
    pipeline.announce(*events(20))
    worker = pipeline.workers["shop.all"]
    eventually(lambda: worker.step() == 20)
    assert pipeline.effects() == list(range(20))  # of the batch alone
    pipeline.run()
    assert sorted(pipeline.effects("noted")) == list(range(20))
    assert pipeline.is_clean()
