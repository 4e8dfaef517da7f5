"""A batch whose time is up is cut: what nobody has begun is read again, everything else is kept in order."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from consumers.stage import Opened, Placed, Play, Stage, Ticked, Viewed, note, placed
from oyez.consumers import Handlers, ListenSettings
from oyez.consumers.core.deadline import Deadline
from oyez.consumers.instrumentation import Happening, Instrument
from oyez.consumers.instrumentation import events as h
from oyez.producers.errors import SettingsError


class Collecting:
    def __init__(self) -> None:
        self.received: list[Happening] = []

    def receive(self, happening: Happening) -> None:
        self.received.append(happening)

    def sizes(self) -> list[tuple[int, int]]:
        return [(one.size, one.report.done) for one in self.received if isinstance(one, h.BatchHandled)]


def slow(stage: list[Stage], seconds: float = 2.0):
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        stage[0].clock.now += seconds

    return place


def test_events_that_nobody_has_begun_are_read_again_and_handled_once(play: Play) -> None:
    stage: list[Stage] = []
    on = Handlers("shop")
    on(Placed)(slow(stage))
    told = Collecting()
    stage.append(play(on, instrument=Instrument(told)))
    stage[0].run()
    stage[0].announce(*placed(range(40)))
    [worker] = stage[0].workers.values()
    worker.step()
    assert stage[0].effects() == list(range(6)), "10 s, at 2 s each: what has begun is finished"
    assert len(stage[0].rows("inbox")) == 6
    assert stage[0].rows("position", "position") == [6]
    assert worker._log.positions() == dict.fromkeys(worker._log.positions(), 6)
    stage[0].run()
    assert stage[0].effects() == list(range(40))
    assert stage[0].is_clean()
    assert told.sizes()[0] == (40, 6)


def test_a_batch_is_cut_one_by_one_too(play: Play) -> None:
    stage: list[Stage] = []
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        stage[0].clock.now += 2.0
        if event.n == 1 and not stage[0].rows("parked", "id"):
            raise ValueError("no")
        note(db, "place", event.n)

    stage.append(play(on))
    stage[0].run()
    stage[0].announce(*placed(range(20)))
    [worker] = stage[0].workers.values()
    worker.step()
    assert stage[0].effects()[:5] == [0, 2, 3, 4, 5]
    assert stage[0].rows("position", "position") == [6]
    stage[0].later()
    assert sorted(stage[0].effects()) == list(range(20))


def test_shares_that_were_not_run_wait_in_the_order_of_their_key(play: Play) -> None:
    """One handler has run for everything, the other for nothing: its shares are parked, and due."""
    stage: list[Stage] = []
    on = Handlers("shop")

    @on(Placed, group="all")
    def first(events: list[Placed], db: Session) -> None:
        note(db, "first", *[event.n for event in events])
        stage[0].clock.now += 11.0

    @on(Placed, group="all")
    def second(event: Placed, db: Session) -> None:
        note(db, "second", event.n)

    stage.append(play(on))
    stage[0].run()
    stage[0].announce(*placed(range(5), key="k1"), *placed(range(5, 8), key="k2"))
    [worker] = stage[0].workers.values()
    stage[0].clock.now += 0.1
    batch = worker._log.poll(500, 0)
    worker._handle(batch, frozenset(worker._log.positions()), lambda: False)
    assert stage[0].effects("first") == list(range(8))
    assert stage[0].effects("second") == []
    due = stage[0].rows("parked", "handler", "due_at")
    assert [name for name, _ in due] == ["second"] * 8
    assert sum(at is not None for _, at in due) == 2, "the first of each key is due, the others are behind it"
    stage[0].run()
    assert [n for n in stage[0].effects("second") if n < 5] == list(range(5))
    assert [n for n in stage[0].effects("second") if n >= 5] == [5, 6, 7]
    assert stage[0].effects("first") == list(range(8))
    assert stage[0].is_clean()


def test_what_waits_behind_the_cut_is_not_parked(play: Play) -> None:
    """A share that is not ready in the tail is read again with it, not parked before it."""
    stage: list[Stage] = []
    on = Handlers("shop")

    @on(Opened, group="all")
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)
        stage[0].clock.now += 11.0

    @on(Viewed, group="all")
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    stage.append(play(on))
    stage[0].run()
    stage[0].announce(Opened(s="s1", n=1), Opened(s="s2", n=2), Viewed(s="s9", n=3), Viewed(s="s1", n=4))
    [worker] = stage[0].workers.values()
    worker._handle(worker._log.poll(500, 0), frozenset(worker._log.positions()), lambda: False)
    assert stage[0].effects() == [1]
    assert stage[0].parked() == []
    stage[0].run()
    assert stage[0].effects() == [1, 2]
    assert [n for _, n, _ in stage[0].parked()] == [3, 4]
    stage[0].handle(Opened(s="s9", n=5))
    assert stage[0].effects() == [1, 2, 5, 3, 4]


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
def test_a_worker_that_is_told_to_stop_cuts_its_batch(play: Play, promise) -> None:
    told: list[int] = []
    seen: list[int] = []
    on = Handlers("shop", promises={"all": promise})

    @on(Placed, group="all", order="none")
    def place(event: Placed) -> None:
        seen.append(event.n)
        if event.n == 0:
            told.append(15)

    stage = play(on)
    stage.run()
    stage.announce(*placed(range(20)))
    [worker] = stage.workers.values()
    worker._log.poll(0, 0)
    worker.run(lambda: bool(told))
    assert seen == [0]
    stage.workers["shop.all"] = stage.worker("shop.all")
    told.clear()
    stage.run()
    assert seen == [0, *range(1, 20)]
    assert stage.is_clean()


def test_an_at_least_once_batch_is_cut(play: Play) -> None:
    stage: list[Stage] = []
    seen: list[int] = []
    on = Handlers("shop", promises={"placed": "at-least-once"})

    @on(Placed)
    def place(event: Placed) -> None:
        seen.append(event.n)
        stage[0].clock.now += 2.0
        if event.n == 3:
            raise ValueError("no")

    stage.append(play(on))
    stage[0].run()
    stage[0].announce(*placed(range(20)))
    [worker] = stage[0].workers.values()
    worker.step()
    assert seen == list(range(6))
    assert [n for _, n, _ in stage[0].parked()] == [3]
    assert [offset for offset, _ in stage[0].logs["shop.placed"].offsets.values()] == [6]
    while worker.step():
        pass
    assert [n for n in seen if n != 3] == [n for n in range(20) if n != 3]


def test_an_undecodable_record_behind_the_cut_is_kept_once(play: Play) -> None:
    stage: list[Stage] = []
    on = Handlers("shop")
    on(Placed)(slow(stage, 11.0))
    stage.append(play(on))
    stage[0].run()
    stage[0].announce(*placed(range(2)))
    stage[0].broker.append("stage", b"k1", b"not json")
    [worker] = stage[0].workers.values()
    worker.step()
    assert stage[0].effects() == [0]
    assert stage[0].rows("dead", "id") == []
    stage[0].run()
    assert stage[0].effects() == [0, 1]
    assert stage[0].rows("dead", "reason") == ["undecodable"]


def test_claimed_rows_for_which_there_was_no_time_stay_as_they_are(play: Play) -> None:
    stage: list[Stage] = []
    on = Handlers("shop")
    fails = [True]

    @on(Ticked)
    def tick(event: Ticked, db: Session) -> None:
        if fails[0]:
            raise ValueError("no")
        stage[0].clock.now += 6.0
        note(db, "tick", event.n)

    stage.append(play(on))
    stage[0].handle(*[Ticked(n=n) for n in range(5)])
    assert len(stage[0].parked()) == 5
    fails[0] = False
    stage[0].clock.now += 10.0
    retrying = stage[0].workers["shop.ticked"]._retrying
    done: list[int] = []
    retrying.run_due(lambda report: done.append(report.done))
    assert sum(done) == 5
    assert max(done) == 2, "12 s are more than the budget of 10"
    assert sorted(stage[0].effects()) == list(range(5))
    assert stage[0].is_clean()


def test_records_of_a_partition_that_was_lost_since_the_poll_are_left_to_its_new_owner(play: Play) -> None:
    """The watchdog's poll may take a partition away while the worker has its records in hand."""
    stage: list[Stage] = []
    on = Handlers("shop")
    on(Placed)(slow(stage))
    stage.append(play(on))
    stage[0].run()
    stage[0].announce(*placed(range(3)))
    [worker] = stage[0].workers.values()
    records = worker._log.poll(500, 0)
    (partition,) = worker._log.positions()
    worker._log.leave(partition)
    worker._handle(records, frozenset({partition}), lambda: False)
    assert stage[0].effects() == []
    stage[0].run()
    assert stage[0].effects() == [0, 1, 2]


def test_a_fast_handler_is_not_asked_for_the_time_often() -> None:
    looks = [0]

    def clock() -> float:
        looks[0] += 1
        return 0.0

    assert [n for some in Deadline(1.0, clock=clock).slices(range(500)) for n in some] == list(range(500))
    assert looks[0] < 40


def test_the_idle_limit_is_above_the_budget() -> None:
    with pytest.raises(SettingsError, match="must be more than budget"):
        ListenSettings(budget=60.0, idle_in_transaction=30.0)
