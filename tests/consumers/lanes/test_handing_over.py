"""A row is handed to lanes in memory. Whatever happens to it before they claim it: each is done once, and in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from oyez.consumers.database.tables import parked, start
from oyez.consumers.execution.reader import Reader
from oyez.consumers.lanes.dispatcher import Dispatcher
from oyez.consumers.lanes.lane import Ran
from oyez.consumers.lanes.unit import Busy, Room, Unit
from support.waiting import eventually

KEYS = {"a": [1, 3, 5], "b": [2, 4]}
EVERY = [1, 2, 3, 4, 5]
SIZES = pytest.mark.parametrize("size", [1, 8])


def handlers() -> Handlers:
    on = Handlers("shop")

    @on(Placed, concurrency=4)
    def noted(event: Placed, db: Session) -> None:
        note(db, "noted", event.n)

    return on


class Handing:
    """Five events of two keys are parked, and known to the dispatcher, which has looked before they came."""

    def __init__(self, pipeline: Pipeline, room: Room) -> None:
        self.pipeline = pipeline
        self.room = room
        lanes: Any = pipeline.workers["shop.placed"]._lanes
        lanes._begin()
        self.one: Dispatcher = lanes._dispatchers[0]
        for _ in range(3):  # what begins to listen looks once for what was before
            pipeline.workers["shop.placed"].step()
        assert not self.chosen()
        pipeline.announce(*[Placed(k="b" if n in KEYS["b"] else "a", n=n) for n in EVERY])
        eventually(lambda: pipeline.workers["shop.placed"].step() == len(EVERY))

    def chosen(self) -> list[Unit]:
        return list(self.one.choosing.choose(Busy(), self.room).units)

    def run(self, units: list[Unit]) -> list[int]:
        """What is done of these units, in a lane each."""
        before = len(self.pipeline.effects())
        for unit in units:
            self.one._begin(unit)
        eventually(lambda: not self.one.running)
        return self.pipeline.effects()[before:]

    def change(self, *statements: Any) -> None:
        with self.pipeline.engine.begin() as db:
            for statement in statements:
                db.execute(statement)

    def ids(self, key: str) -> list[int]:
        with self.pipeline.engine.connect() as db:
            found = select(parked.c.id).where(parked.c.key == key).order_by(parked.c.id)
            return list(db.execute(found).scalars())


def of_key(numbers: list[int], key: str) -> list[int]:
    return [n for n in numbers if n in KEYS[key]]


@SIZES
def test_nothing_is_read_back(many: Play, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    handing = Handing(many(handlers()), Room(4, size))

    def decode(*_: object) -> None:
        raise AssertionError("it is known")

    monkeypatch.setattr(Reader, "read", decode)
    units = handing.chosen()
    assert sorted(one for unit in units for one in unit.fresh) == handing.pipeline.rows("parked", "id")
    done = handing.run(units)
    assert sorted(done) == EVERY
    assert of_key(done, "a") == KEYS["a"]
    assert of_key(done, "b") == KEYS["b"]
    assert not len(handing.one.choosing.handed)
    assert handing.pipeline.is_clean()


def test_on_the_first_look_it_is_known_too(many: Play) -> None:
    handing = Handing(many(handlers()), Room(4, 8))
    handing.one.wake()
    units = handing.chosen()
    assert all(unit.fresh for unit in units)
    assert sorted(handing.run(units)) == EVERY


@pytest.mark.parametrize(("seconds", "keys"), [(0.0, {"a"}), (1.0, {"a", "old"})])
def test_others_are_looked_for_as_well(many: Play, seconds: float, keys: set[str]) -> None:
    """What waits since before is found in time, however much is handed."""
    pipeline = many(handlers())
    handing = Handing(pipeline, Room(4, 8))
    handing.change(update(parked).where(parked.c.key == "b").values(key="old"))
    handing.one.choosing.handed.end(handing.ids("old"), {("noted", "b")}, Ran())
    pipeline.clock.now += seconds
    assert {key for unit in handing.chosen() for _, key in unit.keys} == keys


def test_a_head_that_nobody_has_made_due_is_run_at_once(many: Play) -> None:
    handing = Handing(many(handlers()), Room(4, 8))
    units = handing.chosen()
    handing.change(delete(parked).where(parked.c.id == handing.ids("a")[0]))
    assert of_key(handing.run(units), "a") == [3, 5]


def test_a_head_that_nobody_has_made_due_fails_as_any_other(many: Play) -> None:
    on, calls = Handlers("shop"), list[int]()

    @on(Placed, concurrency=4)
    def noted(event: Placed, db: Session) -> None:
        calls.append(event.n)
        if event.n == 3:
            raise ValueError("no")

    handing = Handing(many(on), Room(4, 1))
    units = handing.chosen()
    first_id, *others = handing.ids("a")
    handing.change(delete(parked).where(parked.c.id == first_id))
    handing.run([unit._replace(ids=tuple(others)) for unit in units if first_id in unit.ids])
    assert calls == [3]
    assert [found for key, found in handing.pipeline.rows("parked", "key", "attempts") if key == "a"] == [
        1,
        0,
    ]


def first(handing: Handing, **values: Any) -> Any:
    return update(parked).where(parked.c.id == handing.ids("a")[0]).values(**values)


def another_worker_does_it(handing: Handing) -> None:
    others: Any = handing.pipeline.worker("shop.placed")
    others.run_due(lambda: False, lambda: 100)
    others._lanes.close()


def it_failed_elsewhere(handing: Handing) -> None:
    handing.change(first(handing, due_at=handing.pipeline.clock.now + 100.0, attempts=1, error="no"))


def it_waits(handing: Handing) -> None:
    handing.change(first(handing, due_at=None, wait_signal="opened", wait_subject="s"))


def a_worker_has_died_on_it(handing: Handing) -> None:
    handing.change(first(handing, starts=1))


def a_worker_has_died_on_what_is_behind_it(handing: Handing) -> None:
    handing.change(update(parked).where(parked.c.id == handing.ids("a")[1]).values(starts=1))


def the_note_is_gone(handing: Handing) -> None:
    handing.change(delete(start))


@pytest.mark.parametrize("before", [True, False], ids=["before the choice", "after the choice"])
@SIZES
@pytest.mark.parametrize(
    ("meanwhile", "is_let"),
    [
        (another_worker_does_it, []),
        (it_failed_elsewhere, []),
        (it_waits, []),
        (a_worker_has_died_on_it, []),
        (a_worker_has_died_on_what_is_behind_it, [1]),
    ],
)
def test_what_is_not_so_any_more(
    many: Play, meanwhile: Callable[[Handing], None], is_let: list[int], size: int, *, before: bool
) -> None:
    handing = Handing(many(handlers()), Room(4, size))
    if before:
        meanwhile(handing)
    units = handing.chosen()
    if not before:
        meanwhile(handing)
    done = handing.run(units)
    assert of_key(done, "a") == is_let
    handing.change(update(parked).where(parked.c.wait_signal.is_not(None)).values(wait_signal=None, due_at=0))
    handing.pipeline.later()
    every = handing.pipeline.effects()
    assert sorted(every) == EVERY
    assert of_key(every, "a") == KEYS["a"]
    assert of_key(every, "b") == KEYS["b"]
    assert handing.pipeline.is_clean()


@SIZES
def test_what_its_note_does_not_hold_is_left(many: Play, size: int) -> None:
    handing = Handing(many(handlers()), Room(4, size))
    units = handing.chosen()
    the_note_is_gone(handing)
    assert handing.run(units) == []
    handing.pipeline.later()
    assert sorted(handing.pipeline.effects()) == EVERY


@SIZES
@pytest.mark.parametrize(("at", "left"), [(0, [3, 5]), (1, [1, 5]), (2, [1, 3])])
def test_what_an_operator_has_removed(many: Play, at: int, left: list[int], size: int) -> None:
    handing = Handing(many(handlers()), Room(4, size))
    units = handing.chosen()
    handing.change(delete(parked).where(parked.c.id == handing.ids("a")[at]))
    handing.run(units)
    handing.pipeline.later()
    assert of_key(handing.pipeline.effects(), "a") == left
    assert of_key(handing.pipeline.effects(), "b") == KEYS["b"]


@SIZES
def test_what_has_gone_before_its_head(many: Play, size: int) -> None:
    handing = Handing(many(handlers()), Room(4, size))
    units = handing.chosen()
    handing.change(update(parked).where(parked.c.id == handing.ids("a")[2]).values(rank=-1, due_at=0.0))
    handing.run(units)
    handing.pipeline.later()
    assert of_key(handing.pipeline.effects(), "a") == [5, 1, 3]


@SIZES
def test_what_somebody_holds(many: Play, size: int) -> None:
    handing = Handing(many(handlers()), Room(4, size))
    units = handing.chosen()
    with handing.pipeline.engine.begin() as db:
        hold(db, handing.ids("a")[0])
        done = handing.run(units)
        assert of_key(done, "a") == []
        assert of_key(done, "b") == KEYS["b"]
    handing.pipeline.later()
    assert of_key(handing.pipeline.effects(), "a") == KEYS["a"]


def hold(db: Connection, number: int) -> None:
    db.execute(select(parked.c.id).where(parked.c.id == number).with_for_update())


@pytest.mark.parametrize("key", [None, "a"])
def test_what_is_paused(many: Play, key: str | None) -> None:
    handing = Handing(many(handlers()), Room(4, 8))
    pausing = Pausing(
        handing.pipeline.application, Database(handing.pipeline.engine), handing.pipeline.clock, 9.0
    )
    scope = pausing.scope("noted" if key is None else None, key)
    pausing.pause(scope, "me@here", None)
    handing.one.choosing._pauses._looked = float("-inf")  # a second has gone by
    assert of_key(handing.run(handing.chosen()), "a") == []
    pausing.resume(scope)
    handing.pipeline.later()
    assert of_key(handing.pipeline.effects(), "a") == KEYS["a"]
    assert handing.pipeline.is_clean()


def test_a_batch_that_was_rolled_back_hands_nothing_over(many: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = many(handlers())
    handing = Handing(pipeline, Room(4, 8))
    handing.pipeline.later()
    pipeline.announce(Placed(k="a", n=9))
    worker: Any = pipeline.workers["shop.placed"]
    settle = worker._execution._settling.settle

    def failing(*given: Any) -> Any:
        settle(*given)
        raise RuntimeError("as told")

    monkeypatch.setattr(worker._execution._settling, "settle", failing)
    with pytest.raises(RuntimeError):
        eventually(worker.step)
    assert not len(handing.one.choosing.handed)
