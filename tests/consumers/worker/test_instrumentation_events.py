"""What a worker emits: one event for a batch, whatever is in it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert

from consumers.pipeline import Opened, Placed, Play, Viewed, note, placed
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.database import Database
from oyez.consumers.database.leaving import leaving
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import outbox, scheduled
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent, events
from oyez.consumers.logs.log import LogAway


class Collecting:
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.received.append(event)


def test_one_for_a_batch_never_one_for_an_event(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Placed)
    def place(events: list[Placed], db: Connection) -> None:
        note(db, "place", *[event.n for event in events])

    @on(Placed, name="fails", group="other")
    def fail(event: Placed, db: Connection) -> None:
        if event.n % 2:  # were it nearly every one, the batch would not be committed
            raise ValueError("as told")

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told))
    pipeline.run()  # the partitions are taken
    told.received.clear()
    pipeline.announce(*placed(range(500)))
    for worker in pipeline.workers.values():
        worker.step()
    batches = [one for one in told.received if isinstance(one, events.BatchHandled)]
    assert sorted((one.group, one.size) for one in batches) == [
        ("pipeline.other", 500),
        ("pipeline.placed", 500),
    ]
    assert len(told.received) <= 4 * len(pipeline.workers), "a batch, a sweep, a claim, a look at the lag"


def test_a_worker_that_starts_names_its_handlers(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    @on(Placed, name="look")
    def look_(event: Placed, db: Connection) -> None:
        note(db, "look", event.n)

    told = Collecting()
    (worker,) = play(on, instrument=Instrument(told)).workers.values()
    worker.run(lambda: True)
    assert told.received[0] == events.WorkerStarted("pipeline.placed", ("place", "look"))


def test_failures_are_counted_by_handler_and_only_those(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Placed)
    def wobbly(event: Placed, db: Connection) -> None:
        if event.n == 1:
            raise ValueError("as told")
        if event.n == 2:
            raise Reject("as told")
        if event.n == 3:
            raise NotReady

    @on(Placed)
    def steady(event: Placed, db: Connection) -> None:
        note(db, "steady", event.n)

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told))
    pipeline.run()  # the partitions are taken
    pipeline.announce(*placed(range(10)))
    for worker in pipeline.workers.values():
        worker.step()
    (batch,) = [one for one in told.received if isinstance(one, events.BatchHandled)]
    assert batch.report.failures == {"wobbly": 3}
    assert (batch.report.done, batch.report.retried, batch.report.dead) == (17, 2, 1)


def test_delays_are_those_of_the_rows_that_were_due(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told))
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    pipeline.announce(Opened())
    pipeline.workers["pipeline.opened"].step()
    pipeline.clock.now += 7.0
    pipeline.workers["pipeline.viewed"].step()
    assert pipeline.effects("view") == [1, 2]
    delays = [
        one.report.delays for one in told.received if isinstance(one, events.RowsRun) and one.report.done
    ]
    assert delays == [[pytest.approx(7.0)]], (
        "the head was due for so long; what is behind it was not due by itself"
    )


def test_the_lag_is_what_is_left(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told), batch=3)
    worker = pipeline.workers["pipeline.placed"]
    pipeline.announce(*placed(range(10)))
    worker.step()
    (first,) = [one for one in told.received if isinstance(one, events.Lagging)]
    assert first.lags == {("pipeline", 0): 10}, "taken, and nothing read yet"
    worker.step()
    assert worker._log.lags() == {Partition("pipeline", pipeline.broker.topic_id("pipeline"), 0): 7}


def test_the_oldest_wait_is_asked_for_only_by_who_wants_it(play: Play) -> None:
    on = Handlers("pipeline")

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told))
    pipeline.handle(Viewed(n=1))
    pipeline.clock.now += 60.0
    waits = {one.group: one.oldest_wait() for one in told.received if isinstance(one, events.Swept)}
    assert waits["pipeline.opened"] == 0.0
    assert 60.0 <= waits["pipeline.viewed"] < 61.0


def test_what_has_not_left_is_told_to_who_asks(play: Play) -> None:
    told, on = Collecting(), Handlers("pipeline")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    pipeline = play(on, instrument=Instrument(told))
    pipeline.run()
    asked = next(one.leaving for one in told.received if isinstance(one, events.Swept))
    assert asked() == (0, 0.0, 0, 0, 0.0)
    with pipeline.engine.begin() as db:
        for n, refused in enumerate((None, "too large", None)):
            values = {
                "topic": "t",
                "value": b"{}",
                "announced_at": pipeline.clock.now + n,
                "refused": refused,
            }
            db.execute(insert(outbox).values(values))
        later = {"signal": "placed", "source": "web", "topic": "t", "value": b"{}", "scheduled_at": 0.0}
        for n, seconds in enumerate((7.0, 50.0)):
            due = {"event_id": str(n), "due_at": pipeline.clock.now + seconds}
            db.execute(insert(scheduled).values(later | due))
    pipeline.clock.now += 10.0
    assert asked() == (2, 10.0, 1, 2, 3.0)
    database = Database(pipeline.engine)
    assert leaving(database, pipeline.clock, most=2) == (1, 10.0, 1, 2, 3.0), (
        "no more rows than that are read"
    )
    assert leaving(database, pipeline.clock, most=1) == (1, 10.0, 0, 1, 3.0)


def test_a_log_that_gives_no_answer_is_said_once_and_so_is_its_return(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = Handlers("pipeline")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    told = Collecting()
    pipeline = play(on, instrument=Instrument(told))
    worker = pipeline.workers["pipeline.placed"]
    with monkeypatch.context() as away:
        away.setattr(worker._log, "gained", no_answer)
        for _ in range(3):
            worker.step()
    for _ in range(3):
        worker.step()
    said = [type(one) for one in told.received if type(one) in (events.LogLost, events.LogBack)]
    assert said == [events.LogLost, events.LogBack]


def no_answer() -> list[Partition]:
    raise LogAway("as told")
