"""When a worker has its outbox relayed: after what it announced, when it is told, and in every sweep."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.outbox.outbox_pipeline import Sailed
from consumers.pipeline import Pipeline, Placed, Play, known, placed
from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.worker.worker import Worker
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from support.waiting import eventually


class Woken:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.times = 0
        self.closed = False

    def wake(self) -> None:
        self.times += 1

    def close(self) -> None:
        self.closed = True


def with_relay(pipeline: Pipeline, woken: Woken) -> Worker:
    """The pipeline's worker, replaced by one with this in the place of its relay."""
    (group,) = pipeline.application.groups
    pipeline.workers[group].leave()
    pipeline.workers[group] = make_worker(
        pipeline.application.groups[group],
        pipeline._settings,
        engine=pipeline.engine,
        source=pipeline.logs[group].join(),
        clock=pipeline.clock,
        sleep=pipeline.clock.sleep,
        timer=pipeline.clock,
        relay=woken,
    )
    return pipeline.workers[group]


@pytest.fixture
def woken() -> Woken:
    return Woken()


def test_after_what_its_handlers_announced(play: Play, woken: Woken) -> None:
    on = Handlers("shop")
    tries: list[int] = []

    @on(Placed)
    def sail(event: Placed, announcer: HandlerAnnouncer) -> None:
        tries.append(event.n)
        if event.n == 2 and tries.count(2) <= 2:
            raise ValueError("together, and alone")
        if event.n:
            announcer.announce(Sailed(n=event.n))

    pipeline = play(on)
    worker = with_relay(pipeline, woken)
    pipeline.run()
    before = woken.times
    pipeline.announce(*placed([0]))
    worker.step()
    assert woken.times == before, "nothing was announced"
    pipeline.announce(*placed([1]))
    worker.step()
    assert woken.times == before + 1
    pipeline.announce(*placed([2]))
    worker.step()
    with pipeline.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM oyez_outbox")
    before = woken.times
    pipeline.clock.now += 4.0  # before the next sweep: the retry table announces
    worker.step()
    assert len(pipeline.rows("outbox")) == 1
    assert woken.times > before
    worker.leave()
    pipeline.workers = {}
    assert woken.closed


def quiet() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None: ...

    return on


def announce(pipeline: Pipeline) -> None:
    """An application announces in a transaction of its own."""
    announcer = Announcer(MemoryTransport(MemoryBroker()), source="web", catalogue=known)
    with pipeline.engine.begin() as db:
        announcer.announce(Sailed(n=1), db=db)
    announcer.close()


def test_it_is_told_of_what_an_application_announces(play: Play, woken: Woken) -> None:
    """By NOTIFY on PostgreSQL; on SQLite it looks."""
    pipeline = play(quiet(), sweep_every=1e9)
    worker = with_relay(pipeline, woken)
    pipeline.run()
    before = woken.times
    worker.step()
    assert woken.times == before

    def told() -> bool:
        pipeline.clock.now += 0.1
        worker.step()
        return woken.times > before

    announce(pipeline)
    eventually(told)


def test_every_sweep_looks(play: Play, woken: Woken) -> None:
    pipeline = play(quiet())
    worker = with_relay(pipeline, woken)
    pipeline.run()
    announce(pipeline)
    pipeline.clock.now += 0.1
    eventually(lambda: worker.step() or woken.times)
    for _ in range(3):
        before = woken.times
        pipeline.clock.now += 10.0
        worker.step()
        assert woken.times > before
