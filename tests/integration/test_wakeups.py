"""Released rows run at once, and due ones on time, without the periodic sweep."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from integration.deployment import Deployment
from integration.findings import CLEAN, count_rows
from integration.shop import Started, Ticked, Viewed, known, ticks
from integration.stepped_workers import Member, Workers
from oyez.consumers import Application, Handlers, NotReady
from oyez.consumers.database.tables import parked
from support.waiting import eventually

HOUR = 3600.0


def test_a_released_row_runs_without_a_sweep(workers: Workers, deployment: Deployment) -> None:
    workers.join("page.viewed", sweep_every=HOUR)
    workers.join("session.started", sweep_every=HOUR)
    deployment.say(Viewed(session_id="s"), Viewed(session_id="t"), Viewed(session_id="s"))
    workers.until(lambda: count_rows(deployment.engine, "parked") == 6)
    deployment.say(Started(session_id="s"), Started(session_id="t"))
    assert workers.settle() == CLEAN


def _flaky(app: str) -> Application:
    """Its handler is not ready for an event the first two times."""
    on = Handlers(app)
    tries: list[int] = []

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        tries.append(event.n)
        if tries.count(event.n) < 3:
            raise NotReady
        db.execute(insert(ticks).values(n=event.n))

    return Application(on, known)


def test_a_row_that_is_due_later_runs_without_a_sweep(deployment: Deployment) -> None:
    workers = Workers(deployment, _flaky(deployment.app))
    member = workers.join("ticked", sweep_every=HOUR)
    deployment.say(Ticked(n=1), Ticked(n=2))
    workers.until(lambda: count_rows(deployment.engine, "parked") == 2)
    member.clock.ahead = 60.0
    workers.until(lambda: workers.ticks() == [1], each=lambda: _later(member))
    workers.until(lambda: workers.ticks() == [1, 2], each=lambda: _later(member))
    workers.close()


def _later(member: Member) -> None:
    member.clock.ahead += 1.0


def test_rows_of_an_unregistered_handler_wake_nobody(tickers: Workers, deployment: Deployment) -> None:
    member = tickers.join("ticked", sweep_every=HOUR)
    row = {
        "app": deployment.app,
        "group_name": member.group.name,
        "handler": "gone",
        "signal": "ticked",
        "source": "web-0",
        "event_id": "1",
        "ordered": False,
        "parked_at": 0.0,
        "due_at": 0.0,
    }
    with deployment.engine.begin() as db:
        db.execute(insert(parked), [row])
    tickers.until(lambda: len(member.held()) == 4)

    def claims_nothing() -> bool:
        """In five rounds; one that is woken claims in each. A position may be written once, when time has passed."""
        member.commits.clear()
        for _ in range(5):
            tickers.step()
        return member.commits == []

    eventually(claims_nothing)
