"""Samples: one row a group and minute, whoever writes, and what reports make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, placed
from consumers.run.bounded_passes import Listen
from consumers.upkeep.deploys import stopped
from oyez.consumers import Handlers
from oyez.consumers.database import Database, make_engine, samples
from oyez.consumers.database.sample_table import sample
from oyez.consumers.database.samples import GONE, KEPT, Share
from oyez.consumers.handlers.registry import Promise
from oyez.consumers.reports.samples import MEASURES, series_of
from oyez.consumers.upkeep.sampling import Counted, Sampling
from oyez.consumers.worker.totals import Tally
from support.tables import knowing_the_tables
from support.waiting import eventually

MINUTE = 60.0
SHARE = Share(3, 1, 7)


@pytest.fixture
def engine(pipeline_database: str) -> Iterator[Engine]:
    engine = knowing_the_tables(make_engine(pipeline_database))
    yield engine
    engine.dispose()


def shop() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed) -> None:
        if event.n < 0:
            raise ValueError("as told")

    @on(Opened)
    def open_(event: Opened) -> None: ...

    @on(Viewed)
    def view(event: Viewed) -> None: ...

    return on


def written(pipeline: Pipeline, group: str, *columns: str) -> list[Any]:
    chosen = [sample.c[name] for name in columns]
    query = select(*chosen).where(sample.c.group_name == group).order_by(sample.c.minute)
    with pipeline.engine.connect() as db:
        return [tuple(row) for row in db.execute(query)]


def test_each_minute_says_what_was_done_in_it_and_what_is_left(play: Play) -> None:
    pipeline = play(shop())
    pipeline.handle(*placed(range(4)), Placed(n=-1, k="bad"), Viewed(s="nobody"))
    pipeline.later(MINUTE)
    pipeline.handle(*placed(range(3)))
    pipeline.later(MINUTE)
    handled = written(pipeline, "shop.placed", "handled")
    assert sum(count for (count,) in handled) == 7
    assert handled[-1] == (3,)
    ((failed, parked, dead),) = written(pipeline, "shop.placed", "failed", "parked", "dead")[-1:]
    assert (failed > 0, parked, dead) == (True, 1, 0)
    ((parked, wait, lag),) = written(pipeline, "shop.viewed", "parked", "oldest_wait", "lag")[-1:]
    assert (parked, lag) == (1, 0)
    assert wait >= MINUTE


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
@pytest.mark.parametrize("lanes", [None, 2])
def test_groups_of_either_promise_and_lanes_are_counted_alike(
    play: Play, promise: Promise, lanes: int | None
) -> None:
    on = Handlers("shop", promises={"placed": promise})

    @on(Placed, order="none", concurrency=lanes)
    def place(_event: Placed) -> None: ...

    pipeline = play(on)
    pipeline.handle(*placed(range(6)))
    worker = pipeline.workers["shop.placed"]
    eventually(lambda: worker.step() == 0 and not worker.reading.is_under_way)  # lanes have threads
    worker.finish()
    assert sum(handled for (handled,) in written(pipeline, "shop.placed", "handled")) == 6


def test_dead_letters_are_counted_by_their_group(play: Play) -> None:
    pipeline = play(shop(), max_attempts=1)
    pipeline.handle(Placed(n=-1), Placed(n=-2, k="other"))
    pipeline.later(MINUTE)
    assert written(pipeline, "shop.placed", "dead")[-1] == (2,)
    assert written(pipeline, "shop.opened", "dead")[-1] == (0,)


def test_workers_of_a_group_add_to_one_row_and_each_delivery_counts_once(play: Play) -> None:
    pipeline = play(shop())
    group = pipeline.application.group("placed")
    database, now = Database(pipeline.engine), 50_000 * MINUTE
    shares = [Share(3, 1, 7), Share(0, 0, None), Share(2, 0, 4), Share(0, 0, 0)]
    tasks = [Sampling(group, telling(share)) for share in shares]
    for _ in range(3):
        for task in tasks:
            assert not task.step(database, now)
    rows = written(pipeline, "shop.placed", "minute", "handled", "failed", "lag")
    assert rows == [(50_000, 5, 1, 11)]
    for task in tasks:
        task.step(database, now + MINUTE)
    assert written(pipeline, "shop.placed", "handled", "failed", "lag")[-1] == (0, 0, 11)


def telling(share: Share) -> Counted:
    return Counted(Tally(done=share.handled, failed=share.failed), lambda: share.lag)


def test_two_that_write_at_once_lose_nothing(engine: Engine) -> None:
    for share in (SHARE, Share(2, 0, None)):
        with engine.begin() as db:
            samples.put(db, "shop", "shop.placed", ["place"], 50_000, share, 50_000 * MINUTE)
    with engine.connect() as db:
        (row,) = db.execute(select(sample.c.handled, sample.c.failed, sample.c.lag))
    assert tuple(row) == (5, 1, 7)


def test_a_worker_with_nothing_to_add_writes_nothing(play: Play) -> None:
    pipeline = play(shop())
    group = pipeline.application.group("placed")
    database = Database(pipeline.engine)
    Sampling(group, telling(SHARE)).step(database, 50_000 * MINUTE)
    said: list[str] = []
    event.listen(
        pipeline.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement)
    )
    Sampling(group, telling(Share(0, 0, 0))).step(database, 50_000 * MINUTE)
    assert [one for one in said if one.startswith(("INSERT", "UPDATE", "DELETE"))] == []


def test_the_table_is_bounded_also_after_groups_that_are_gone_and_wrong_clocks(engine: Engine) -> None:
    at = 50_000
    old = [
        ("shop.placed", at - KEPT - 1),
        ("shop.gone", at - GONE - 1),
        ("shop.gone", at + GONE + 1),
    ]
    kept = [("shop.placed", at - KEPT), ("shop.gone", at - KEPT - 1), ("shop.gone", at + 1)]
    with engine.begin() as db:
        for group, minute in (*old, *kept):
            db.execute(sample.insert().values(minute=minute, group_name=group, **row()))
        samples.put(db, "shop", "shop.placed", [], at, SHARE, at * MINUTE)
        left = db.execute(select(sample.c.group_name, sample.c.minute)).all()
    assert sorted(map(tuple, left)) == sorted([*kept, ("shop.placed", at)])


def row(**said: Any) -> dict[str, Any]:
    return {"handled": 0, "failed": 0, "lag": None, "parked": 0, "oldest_wait": None, "dead": 0, **said}


def put(db: Connection, minute: int, **said: Any) -> None:
    db.execute(sample.insert().values(minute=minute, group_name="shop.placed", **row(**said)))


def test_series_have_gaps_where_nothing_was_written_and_leave_out_the_minute_that_goes_on(
    engine: Engine,
) -> None:
    at = 60_000
    with engine.begin() as db:
        put(db, at - 4, handled=60, parked=2)
        put(db, at - 3, handled=120, lag=5, oldest_wait=1.5)
        put(db, at - 1, failed=4, dead=3)
        put(db, at, handled=9_999)
        (found,) = series_of(db, at * MINUTE + 30.0, hours=4 / 60)
    assert found.step == 1
    assert found.values("rate") == [1.0, 2.0, None, 0.0]
    assert found.values("parked") == [2, 0, None, 0]
    assert found.values("lag") == [None, 5, None, None]
    assert found.values("oldest_wait") == [None, 1.5, None, None]
    assert found.values("failed") == [0.0, 0.0, None, 4.0]
    assert found.values("dead") == [0, 0, None, 3]
    assert {len(found.values(name)) for name in MEASURES} == {4}


def test_a_day_is_no_more_points_than_are_asked_for(engine: Engine) -> None:
    at = 60_000
    with engine.begin() as db:
        rows = [
            {"minute": minute, "group_name": "shop.placed", **row(handled=60, parked=minute % 7)}
            for minute in range(at - KEPT, at)
        ]
        db.execute(sample.insert(), rows)
        (found,) = series_of(db, at * MINUTE, hours=1_000, points=96)
    assert found.step == KEPT // 96
    assert len(found.points) == 96
    assert found.values("rate") == [1.0] * 96
    assert set(found.values("parked")) == {6}


def test_a_pass_that_takes_less_than_a_minute_is_in_the_samples(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(5)))
    listen(pipeline, 100)
    listen(pipeline, 100)
    rows = written(pipeline, "shop.placed", "handled", "lag")
    assert sum(handled for handled, _ in rows) == 5


def test_at_its_end_a_worker_adds_what_it_has_not_written_and_its_lag_once(play: Play) -> None:
    pipeline = play(shop())
    group = pipeline.application.group("placed")
    database, now = Database(pipeline.engine), 50_000 * MINUTE
    tally = Tally(done=SHARE.handled, failed=SHARE.failed)
    task = Sampling(group, Counted(tally, lambda: SHARE.lag))
    task.step(database, now)
    task.finish(database, now + 1.0)
    tally.done += 2
    for _ in range(2):
        task.finish(database, now + 1.0)
    assert written(pipeline, "shop.placed", "handled", "failed", "lag") == [(5, 1, 7)]
