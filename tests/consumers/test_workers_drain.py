"""When a worker has its outbox drained: after what it announced, when it is told, and in every sweep."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.harbour import Sailed
from consumers.stage import Placed, Play, Stage, known, placed
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


def drained(stage: Stage, woken: Woken) -> Worker:
    """The stage's worker, replaced by one with this in the place of the draining."""
    (group,) = stage.application.groups
    stage.workers[group].leave()
    stage.workers[group] = make_worker(
        stage.application.groups[group],
        stage._settings,
        engine=stage.engine,
        source=stage.logs[group].join(),
        clock=stage.clock,
        sleep=stage.clock.sleep,
        timer=stage.clock,
        draining=woken,
    )
    return stage.workers[group]


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

    stage = play(on)
    worker = drained(stage, woken)
    stage.run()
    before = woken.times
    stage.announce(*placed([0]))
    worker.step()
    assert woken.times == before, "nothing was announced"
    stage.announce(*placed([1]))
    worker.step()
    assert woken.times == before + 1
    stage.announce(*placed([2]))
    worker.step()
    with stage.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM oyez_outbox")
    before = woken.times
    stage.clock.now += 4.0  # before the next sweep: the retry table announces
    worker.step()
    assert len(stage.rows("outbox")) == 1
    assert woken.times > before
    worker.leave()
    stage.workers = {}
    assert woken.closed


def quiet() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None: ...

    return on


def announce(stage: Stage) -> None:
    """An application announces in a transaction of its own."""
    announcer = Announcer(MemoryTransport(MemoryBroker()), source="web", catalogue=known)
    with stage.engine.begin() as db:
        announcer.announce(Sailed(n=1), db=db)
    announcer.close()


def test_it_is_told_of_what_an_application_announces(play: Play, woken: Woken) -> None:
    """By NOTIFY on PostgreSQL; on SQLite it looks."""
    stage = play(quiet(), sweep_every=1e9)
    worker = drained(stage, woken)
    stage.run()
    before = woken.times
    worker.step()
    assert woken.times == before

    def told() -> bool:
        stage.clock.now += 0.1
        worker.step()
        return woken.times > before

    announce(stage)
    eventually(told)


def test_every_sweep_looks(play: Play, woken: Woken) -> None:
    stage = play(quiet())
    worker = drained(stage, woken)
    stage.run()
    announce(stage)
    stage.clock.now += 0.1
    eventually(lambda: worker.step() or woken.times)
    for _ in range(3):
        before = woken.times
        stage.clock.now += 10.0
        worker.step()
        assert woken.times > before
