"""Operators apply every operation again and again while sweepers run, on PostgreSQL: nothing is lost, doubled or
stuck."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine

from consumers.interleavings.conftest import _stepped_database, postgres_engine
from consumers.interleavings.shop import Clock, Shop, empty
from consumers.interleavings.signals import PageViewed, SessionStarted, announced, note
from oyez.consumers import Application, Handlers, Reject
from oyez.consumers.admin import Discard, Operation, Pacing, Release, Retry, Steps
from oyez.consumers.database import make_engine
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.tables import dead, parked

__all__ = ["_stepped_database", "postgres_engine"]

SESSIONS, VIEWS = 40, 5
ROUNDS = 12


def visits(chance: random.Random) -> Handlers:
    """Handlers that fail or give up now and then, until they have done so often enough."""
    on = Handlers("shop")
    lock = threading.Lock()
    troubles = Counter({"left": 400})

    def trouble() -> None:
        with lock:
            if troubles["left"] <= 0:
                return
            troubles["left"] -= 1
            way = chance.random()
        if way < 0.4:
            raise Reject("as told")
        if way < 0.7:
            raise RuntimeError("as told")

    @on(SessionStarted)
    def greet(event: SessionStarted, db: Connection) -> None:
        trouble()
        note(db, "greet", event)

    @on(SessionStarted)
    def count(event: SessionStarted, db: Connection) -> None:
        trouble()
        note(db, "count", event)

    @on(PageViewed)
    def view(event: PageViewed, db: Connection) -> None:
        trouble()
        note(db, "view", event)

    return on


class Workers:
    """Threads, each with an engine of its own; the first error of any ends the test."""

    def __init__(self, url: str, application: Application, clock: Clock) -> None:
        self._url, self._application, self._clock = url, application, clock
        self._errors: list[BaseException] = []

    def work(self, *jobs: Callable[[Shop], None]) -> None:
        threads = [threading.Thread(target=self._run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive(), "stuck"
        if self._errors:
            raise self._errors[0]

    def _run(self, job: Callable[[Shop], None]) -> None:
        engine = make_engine(self._url)
        try:
            job(Shop(self._application, engine, clock=self._clock, batch=20))
        except BaseException as error:  # noqa: BLE001 # the test raises it
            self._errors.append(error)
        finally:
            engine.dispose()


def operator(seed: int, *, may_discard: bool) -> Callable[[Shop], None]:
    """Somebody who applies operations at random; whoever may discard, discards only greetings."""
    chance = random.Random(seed)

    def work(shop: Shop) -> None:
        operations: list[tuple[Operation, Filter]] = [
            (Retry(shop.application, shop.clock), Filter(app="shop")),
            (Release(shop.application, shop.clock), Filter(app="shop")),
        ]
        if may_discard:
            for table in (parked, dead):
                operations.append(
                    (Discard(shop.application, table, shop.clock), Filter(app="shop", handler="greet"))
                )
        for _ in range(ROUNDS):
            operation, wanted = chance.choice(operations)
            steps = Steps(shop.database, Pacing(7), timeout=0.2)
            steps.apply(operation, steps.choose(operation.table, wanted), wanted)

    return work


def sweeper(shop: Shop) -> None:
    for _ in range(ROUNDS):
        shop.clock.now += 30.0
        shop.sweep()


@pytest.mark.parametrize("seed", range(3))
def test_everything_ends_well(postgres_engine: Engine, seed: int) -> None:
    empty(postgres_engine)
    clock = Clock()
    application = Application(visits(random.Random(seed)))
    url = postgres_engine.url.render_as_string(hide_password=False)
    workers = Workers(url, application, clock)
    starts = announced(*(SessionStarted(session=f"s{s}") for s in range(SESSIONS)))
    views = announced(*(PageViewed(session=f"s{s}", n=n) for n in range(VIEWS) for s in range(SESSIONS)))
    workers.work(
        lambda shop: [shop.handle(record) for record in starts] and None,
        lambda shop: [shop.handle(*views[at : at + 20]) for at in range(0, len(views), 20)] and None,
        sweeper,
        sweeper,
        operator(seed, may_discard=False),
        operator(seed + 100, may_discard=True),
    )
    shop = Shop(application, postgres_engine, clock=clock)
    for _ in range(20):
        steps = Steps(shop.database, timeout=0.0)
        again, wanted = Retry(application, clock), Filter(app="shop")
        steps.apply(again, steps.choose(dead, wanted), wanted)
        clock.now += 4_000.0
        shop.sweep()
        shop.run_due()
    assert shop.rows("parked", "handler", "event_id") == []
    assert shop.rows("dead", "handler", "event_id") == []
    assert [met is not None for (met,) in shop.rows("prerequisite", "met_at")] == [True] * SESSIONS
    assert sorted(shop.done("view")) == sorted(n for n in range(VIEWS) for _ in range(SESSIONS))
    assert len(shop.done("count")) == SESSIONS
    assert len(shop.done("greet")) <= SESSIONS
