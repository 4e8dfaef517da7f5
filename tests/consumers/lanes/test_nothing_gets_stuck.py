"""What could hold a lane, a loop or a key for ever, and does not."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, Play, note
from oyez.consumers import Backoff, Handlers, NotReady
from oyez.consumers.database import Database, start_notes
from oyez.consumers.database.engine import DatabaseAway
from oyez.consumers.database.tables import parked
from oyez.consumers.lanes.dispatcher import Dispatcher
from oyez.consumers.lanes.unit import NO_LIMIT, Busy, Room
from oyez.consumers.retry.retrying import ALONE
from support.waiting import eventually

LIMIT = 30.0  # s


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set when the test ends, so that no thread hangs for longer."""
    event = threading.Event()
    yield event
    event.set()


def dispatcher(pipeline: Pipeline) -> Dispatcher:
    lanes: Any = pipeline.workers["shop.placed"]._lanes
    lanes._begin()
    found: Dispatcher = lanes._dispatchers[0]
    return found


def arrived(pipeline: Pipeline, *events: Placed) -> None:
    """These events wait for a lane."""
    pipeline.announce(*events)
    eventually(lambda: pipeline.workers["shop.placed"].step() == len(events))


def test_a_time_limit_is_written_when_the_database_is_back(
    many: Play, released: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=1, timeout=10)
    def noted(event: Placed, db: Session) -> None:
        if event.n == 1 and not released.is_set():
            pipeline.clock.now += 100.0
            released.wait(LIMIT)
        note(db, "noted", event.n)

    pipeline = many(on)
    arrived(pipeline, Placed(k="a", n=1), Placed(k="b", n=2))
    one = dispatcher(pipeline)
    written = one._writer.time_out
    answers = iter([DatabaseAway("as told")])

    def time_out(*given: Any) -> Any:
        for away in answers:
            raise away
        return written(*given)

    monkeypatch.setattr(one._writer, "time_out", time_out)
    with pytest.raises(DatabaseAway):
        pipeline.run()
    one.time_out()
    assert pipeline.rows("parked", "attempts") == [1, 0]
    released.set()
    pipeline.later()
    assert sorted(pipeline.effects()) == [1, 2], "each once, also what was given up"
    assert pipeline.is_clean()


def test_a_time_limit_is_no_death(
    many: Play, released: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of what was given up is old, and held by nobody as soon as its connection is ended."""
    on = Handlers("shop")

    @on(Placed, concurrency=1, timeout=10)
    def noted(event: Placed, db: Session) -> None:
        pipeline.clock.now += 100.0
        released.wait(LIMIT)

    pipeline = many(on)
    arrived(pipeline, Placed(n=1))
    one = dispatcher(pipeline)
    written, database = one._writer.time_out, Database(pipeline.engine)

    def counted(db: Connection) -> int:
        return start_notes.count_abandoned(db, "shop.placed", ALONE, pipeline.clock()).counted

    def time_out(*given: Any) -> Any:
        eventually(lambda: database.repeat(counted))  # another worker's sweep
        return written(*given)

    monkeypatch.setattr(one._writer, "time_out", time_out)
    pipeline.run()
    assert pipeline.rows("parked", "attempts", "starts") == [(1, 0)]
    assert pipeline.parked()[0][2].startswith("TimedOut")


def test_what_hung_beside_others_is_alone_from_then_on(many: Play, released: threading.Event) -> None:
    on, calls = Handlers("shop"), list[int]()

    @on(Placed, concurrency=2, timeout=10)
    def noted(event: Placed, db: Session) -> None:
        calls.append(event.n)
        if event.n == 3:
            if calls.count(3) > 1:  # the clock is everybody's: whoever else runs would be late as well
                eventually(lambda: one.running == 1 and len(pipeline.effects()) == 5)
            pipeline.clock.now += 100.0
            released.wait(LIMIT)
        note(db, "noted", event.n)

    pipeline = many(on)
    arrived(pipeline, *[Placed(k=f"k{n}", n=n) for n in range(6)])
    one = dispatcher(pipeline)
    lanes: Any = pipeline.workers["shop.placed"]._lanes

    def stepped() -> bool:
        one._size = 8  # as after others that were quick
        return not lanes.step(NO_LIMIT)

    eventually(stepped)
    assert sorted(pipeline.effects()) == [0, 1, 2, 4, 5]
    assert pipeline.parked() == [("noted", 3, "TimedOut: took longer than its timeout of 10 s")]
    assert calls.count(3) == 2, "beside others, and alone"


def test_an_exit_in_a_task_ends_its_event_alone(lanes: Play) -> None:
    on = Handlers("shop")

    async def leave() -> None:
        sys.exit("as told")

    @on(Placed, concurrency=3)
    async def noted(event: Placed) -> None:
        if event.n == 1:
            await asyncio.gather(leave())

    pipeline = lanes(on)
    pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(4)])
    assert pipeline.parked() == [("noted", 1, "SystemExit: as told")]
    pipeline.handle(Placed(k="later", n=5))
    assert len(pipeline.parked()) == 1


def test_what_is_suspected_is_found_behind_what_fails(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=3)
    def noted(event: Placed) -> None:
        raise ValueError("broken")

    pipeline = lanes(on)
    pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(5)])
    pipeline.clock.now += 10.0
    arrived(pipeline, Placed(k="kills", n=9))
    with pipeline.engine.begin() as db:
        db.execute(update(parked).where(parked.c.key == "kills").values(starts=ALONE))
    unit = dispatcher(pipeline).choosing.choose_suspected()
    assert unit is not None
    assert unit.keys == {("noted", "kills")}


def test_what_is_suspected_behind_others_of_its_key_waits_for_them_and_is_run(lanes: Play) -> None:
    """Workers have died on a unit of several rows of a key; then the first of them was run, and failed once."""
    on, tried = Handlers("shop"), list[int]()

    @on(Placed, concurrency=3, retry=Backoff(first=1.0))
    def noted(event: Placed, db: Session) -> None:
        tried.append(event.n)
        if tried == [0]:
            raise NotReady
        note(db, "noted", event.n)

    pipeline = lanes(on)
    arrived(pipeline, *[Placed(k="a", n=n) for n in range(4)])
    with pipeline.engine.begin() as db:
        behind = select(func.min(parked.c.id)).scalar_subquery()
        db.execute(update(parked).where(parked.c.id > behind).values(starts=ALONE))
    pipeline.run()
    pipeline.later()
    assert pipeline.effects() == [0, 1, 2, 3]
    assert pipeline.is_clean()


def test_a_key_that_has_all_that_it_may_does_not_hide_others(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=4, order="none", limits={"per_key": 1})
    def noted(event: Placed) -> None: ...

    pipeline = lanes(on)
    arrived(pipeline, *[Placed(k="hot", n=n) for n in range(30)], Placed(k="other", n=99))
    choosing, room = dispatcher(pipeline).choosing, Room(4, 1, per_key=1)
    units = choosing.choose(Busy(), room).units
    assert sorted(key for unit in units for key in unit.loose) == ["hot", "other"]
    assert not choosing.choose(Busy.of(units), room).units


def test_what_is_chosen_and_waits_is_noted_anew(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Placed, concurrency=4)
    def noted(event: Placed) -> None: ...

    pipeline = lanes(on)
    arrived(pipeline, Placed(n=1))
    choosing = dispatcher(pipeline).choosing
    (unit,) = choosing.choose(Busy(), Room(1, 1)).units
    (before,) = pipeline.rows("start", "started_at")
    pipeline.clock.now += 5.0
    choosing.refresh([unit.number])
    assert pipeline.rows("start", "started_at") == [before + 5.0]
