"""A batch whose time is up is cut: what nobody has begun is read again, everything else is kept in order."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Play, Ticked, Viewed, note, placed, terms
from oyez.consumers import Handlers, ListenSettings
from oyez.consumers.core.deadline import Deadline
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent, events
from oyez.producers.errors import SettingsError


class Collecting:
    def __init__(self) -> None:
        self.received: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.received.append(event)

    def sizes(self) -> list[tuple[int, int]]:
        return [(one.size, one.report.done) for one in self.received if isinstance(one, events.BatchHandled)]


def slow(pipeline: list[Pipeline], seconds: float = 2.0):
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        pipeline[0].clock.now += seconds

    return place


def test_events_that_nobody_has_begun_are_read_again_and_handled_once(play: Play) -> None:
    pipeline: list[Pipeline] = []
    on = Handlers("shop")
    on(Placed)(slow(pipeline))
    told = Collecting()
    pipeline.append(play(on, instrument=Instrument(told)))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(40)))
    [worker] = pipeline[0].workers.values()
    worker.step()
    assert pipeline[0].effects() == list(range(6)), "10 s, at 2 s each: what has begun is finished"
    assert len(pipeline[0].rows("inbox")) == 6
    assert pipeline[0].rows("position", "position") == [6]
    assert worker._log.positions() == dict.fromkeys(worker._log.positions(), 6)
    pipeline[0].run()
    assert pipeline[0].effects() == list(range(40))
    assert pipeline[0].is_clean()
    assert told.sizes()[0] == (40, 6)


def test_a_batch_is_cut_one_by_one_too(play: Play) -> None:
    pipeline: list[Pipeline] = []
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        pipeline[0].clock.now += 2.0
        if event.n == 1 and not pipeline[0].rows("parked", "id"):
            raise ValueError("no")
        note(db, "place", event.n)

    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(20)))
    [worker] = pipeline[0].workers.values()
    worker.step()
    assert pipeline[0].effects()[:5] == [0, 2, 3, 4, 5]
    assert pipeline[0].rows("position", "position") == [6]
    pipeline[0].later()
    assert sorted(pipeline[0].effects()) == list(range(20))


def test_deliveries_that_were_not_run_wait_in_the_order_of_their_key(play: Play) -> None:
    """One handler has run for everything, the other for nothing: its deliveries are parked, and due."""
    pipeline: list[Pipeline] = []
    on = Handlers("shop")

    @on(Placed, group="all")
    def first(events: list[Placed], db: Session) -> None:
        note(db, "first", *[event.n for event in events])
        pipeline[0].clock.now += 11.0

    @on(Placed, group="all")
    def second(event: Placed, db: Session) -> None:
        note(db, "second", event.n)

    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(5), key="k1"), *placed(range(5, 8), key="k2"))
    [worker] = pipeline[0].workers.values()
    pipeline[0].clock.now += 0.1
    batch = worker._log.poll(500, 0)
    worker._reading.handle(batch, terms(worker), lambda: False, is_full=False)
    assert pipeline[0].effects("first") == list(range(8))
    assert pipeline[0].effects("second") == []
    due = pipeline[0].rows("parked", "handler", "due_at")
    assert [name for name, _ in due] == ["second"] * 8
    assert sum(at is not None for _, at in due) == 2, "the first of each key is due, the others are behind it"
    pipeline[0].run()
    assert [n for n in pipeline[0].effects("second") if n < 5] == list(range(5))
    assert [n for n in pipeline[0].effects("second") if n >= 5] == [5, 6, 7]
    assert pipeline[0].effects("first") == list(range(8))
    assert pipeline[0].is_clean()


def test_what_waits_behind_the_cut_is_not_parked(play: Play) -> None:
    """A delivery that is not ready in the tail is read again with it, not parked before it."""
    pipeline: list[Pipeline] = []
    on = Handlers("shop")

    @on(Opened, group="all")
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)
        pipeline[0].clock.now += 11.0

    @on(Viewed, group="all")
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(Opened(s="s1", n=1), Opened(s="s2", n=2), Viewed(s="s9", n=3), Viewed(s="s1", n=4))
    [worker] = pipeline[0].workers.values()
    records = worker._log.poll(500, 0)
    worker._reading.handle(records, terms(worker), lambda: False, is_full=False)
    assert pipeline[0].effects() == [1]
    assert pipeline[0].parked() == []
    pipeline[0].run()
    assert pipeline[0].effects() == [1, 2]
    assert [n for _, n, _ in pipeline[0].parked()] == [3, 4]
    pipeline[0].handle(Opened(s="s9", n=5))
    assert pipeline[0].effects() == [1, 2, 5, 3, 4]


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

    pipeline = play(on)
    pipeline.run()
    pipeline.announce(*placed(range(20)))
    [worker] = pipeline.workers.values()
    worker._log.poll(0, 0)
    worker.run(lambda: bool(told))
    assert seen == [0]
    pipeline.workers["shop.all"] = pipeline.worker("shop.all")
    told.clear()
    pipeline.run()
    assert seen == [0, *range(1, 20)]
    assert pipeline.is_clean()


def test_an_at_least_once_batch_is_cut(play: Play) -> None:
    pipeline: list[Pipeline] = []
    seen: list[int] = []
    on = Handlers("shop", promises={"placed": "at-least-once"})

    @on(Placed)
    def place(event: Placed) -> None:
        seen.append(event.n)
        pipeline[0].clock.now += 2.0
        if event.n == 3:
            raise ValueError("no")

    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(20)))
    [worker] = pipeline[0].workers.values()
    worker.step()
    assert seen == list(range(6))
    assert [n for _, n, _ in pipeline[0].parked()] == [3]
    assert [offset for offset, _ in pipeline[0].logs["shop.placed"].offsets.values()] == [6]
    while worker.step():
        pass
    assert [n for n in seen if n != 3] == [n for n in range(20) if n != 3]


def test_an_undecodable_record_behind_the_cut_is_kept_once(play: Play) -> None:
    pipeline: list[Pipeline] = []
    on = Handlers("shop")
    on(Placed)(slow(pipeline, 11.0))
    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(2)))
    pipeline[0].broker.append("pipeline", b"k1", b"not json")
    [worker] = pipeline[0].workers.values()
    worker.step()
    assert pipeline[0].effects() == [0]
    assert pipeline[0].rows("dead", "id") == []
    pipeline[0].run()
    assert pipeline[0].effects() == [0, 1]
    assert pipeline[0].rows("dead", "reason") == ["undecodable"]


def test_claimed_rows_for_which_there_was_no_time_stay_as_they_are(play: Play) -> None:
    pipeline: list[Pipeline] = []
    on = Handlers("shop")
    fails = [True]

    @on(Ticked)
    def tick(event: Ticked, db: Session) -> None:
        if fails[0]:
            raise ValueError("no")
        pipeline[0].clock.now += 6.0
        note(db, "tick", event.n)

    pipeline.append(play(on))
    pipeline[0].handle(*[Ticked(n=n) for n in range(5)])
    assert len(pipeline[0].parked()) == 5
    fails[0] = False
    pipeline[0].clock.now += 10.0
    retrying = pipeline[0].workers["shop.ticked"]._retrying
    done: list[int] = []
    retrying.run_due(lambda report: done.append(report.done))
    assert sum(done) == 5
    assert max(done) == 2, "12 s are more than the budget of 10"
    assert sorted(pipeline[0].effects()) == list(range(5))
    assert pipeline[0].is_clean()


def test_records_of_a_partition_that_was_lost_since_the_poll_are_left_to_its_new_owner(play: Play) -> None:
    """The watchdog's poll may take a partition away while the worker has its records in hand."""
    pipeline: list[Pipeline] = []
    on = Handlers("shop")
    on(Placed)(slow(pipeline))
    pipeline.append(play(on))
    pipeline[0].run()
    pipeline[0].announce(*placed(range(3)))
    [worker] = pipeline[0].workers.values()
    records = worker._log.poll(500, 0)
    (partition,) = worker._log.positions()
    worker._log.leave(partition)
    worker._reading.handle(records, {partition: 0}, lambda: False, is_full=False)
    assert pipeline[0].effects() == []
    pipeline[0].run()
    assert pipeline[0].effects() == [0, 1, 2]


def test_a_fast_handler_is_not_asked_for_the_time_often() -> None:
    looks = [0]

    def clock() -> float:
        looks[0] += 1
        return 0.0

    assert [n for some in Deadline(clock() + 1.0, clock=clock).slices(range(500)) for n in some] == list(
        range(500)
    )
    assert looks[0] < 40


def test_the_idle_limit_is_above_the_budget() -> None:
    with pytest.raises(SettingsError, match="must be more than budget"):
        ListenSettings(budget=60.0, idle_in_transaction=30.0)
