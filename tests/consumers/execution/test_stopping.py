"""A worker that is told to stop: whatever a batch is doing, it looks whether it has to go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text

from consumers.pipeline import Clock, Pipeline, Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.core.deadline import Deadline
from oyez.consumers.core.stop_signals import Told
from oyez.consumers.database import DatabaseAway, make_engine
from oyez.consumers.database.engine import PATIENCE, Database
from oyez.consumers.execution.at_least_once import run_in_place

MANY = 500


def becoming_slow(clock: Clock, told: list[int], seen: list[int]) -> Callable[[int], None]:
    """It is quick for a while; then it takes a second for each, and the worker is told to stop."""

    def see(n: int) -> None:
        seen.append(n)
        if n >= 300:
            clock.now += 1.0
        if n == 302:
            told.append(1)

    return see


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
@pytest.mark.parametrize("has_failed", [True, False])
@pytest.mark.parametrize("with_database", [True, False])
def test_a_handler_that_has_become_slow_is_cut_after_the_event_in_hand(
    with_database: bool, has_failed: bool, promise: Any, play: Play
) -> None:
    told: list[int] = []
    seen: list[int] = []
    on = Handlers("shop", promises={"placed": promise})
    pipelines: list[Pipeline] = []

    def inside(event: Placed, db: Connection) -> None:
        see(event.n)
        if event.n == -1:
            raise ValueError("as told")
        note(db, "see", event.n)

    def outside(event: Placed) -> None:
        see(event.n)
        if event.n == -1:
            raise ValueError("as told")

    def see(n: int) -> None:
        becoming_slow(pipelines[0].clock, told, seen)(n)

    on(Placed, name="see", order="none")(inside if with_database else outside)
    pipelines.append(play(on))
    pipelines[0].handle(Placed(n=-1 if has_failed else -2))
    seen.clear()
    pipelines[0].announce(*placed(range(MANY)))
    [worker] = pipelines[0].workers.values()
    worker.step(lambda: bool(told))
    assert seen[-1] == 302


def at_least_once() -> Handlers:
    return Handlers("shop", promises={"loose": "at-least-once"})


def test_a_list_that_is_taken_one_by_one_is_cut_as_well() -> None:
    clock, told, calls = Clock(), list[int](), list[list[int]]()
    on = at_least_once()

    @on(Placed, group="loose")
    def see(events: list[Placed]) -> None:
        calls.append([event.n for event in events])
        clock.now += 0.1
        if len(calls) == 10:
            told.append(1)
        if len(events) > 1:
            raise ValueError("as told")

    [handler] = on
    deadline = Deadline(clock.now + 1000, lambda: bool(told), clock)
    failures, ran = run_in_place(handler, placed(range(MANY)), deadline)
    assert (failures, ran) == ([], 9)


def test_the_second_of_several_handlers_is_not_begun(play: Play) -> None:
    told: list[int] = []
    on = at_least_once()

    @on(Placed, group="loose")
    def first(events: list[Placed]) -> None:
        told.append(1)

    @on(Placed, group="loose")
    def second(events: list[Placed]) -> None:
        told.append(2)

    pipeline = play(on)
    pipeline.run()
    pipeline.announce(*placed(range(3)))
    [worker] = pipeline.workers.values()
    worker.step(lambda: bool(told))
    assert told == [1]
    told.clear()
    pipeline.later()
    assert set(told) == {2}
    assert pipeline.is_clean()


def test_conflicts_are_not_waited_for_without_end(pipeline_postgres: str) -> None:
    clock = Clock()
    told = Told(lambda: True, clock)
    assert told.seconds() == 0.0
    on = Handlers("shop")

    @on(Placed)
    def conflicting(event: Placed, db: Connection) -> None:
        clock.now += 1.0
        db.execute(text("DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END $$"))

    pipeline = Pipeline(pipeline_postgres, on)
    [worker] = pipeline.workers.values()
    worker._execution.database._stopping = told.seconds
    pipeline.run()
    pipeline.announce(*placed(range(3)))
    with pytest.raises(DatabaseAway, match="in the way"):
        worker.step(told)
    assert clock.now <= 1_000_000 + PATIENCE + 1
    pipeline.close()


def test_a_busy_database_is_not_waited_for_without_end(pipeline_sqlite: str) -> None:
    clock = Clock()
    told = Told(lambda: True, clock)
    database = Database(
        make_engine(pipeline_sqlite), sleep=lambda _s: clock.sleep(1.0), clock=clock, stopping=told.seconds
    )
    database.repeat(lambda db: db.execute(text("SELECT 1")))
    assert not database.gives_up()
    writer = sqlite3.connect(str(make_url(pipeline_sqlite).database), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseAway, match="stayed busy for 5 s"):
        database.repeat(lambda db: db.execute(text("SELECT 1")))
    writer.execute("COMMIT")
    writer.close()
    database.engine.dispose()
