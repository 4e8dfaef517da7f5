"""While the database is away nobody dies: what is in a worker's hand then is not counted as a death, by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from consumers.partitions.test_dying_workers import GROUP, Killed
from consumers.pipeline import Pipeline, Placed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.engine import DatabaseAway
from oyez.consumers.worker.worker import Worker
from support.outage import Outage, outages_of

LONG = 12.0  # s that the database is away: longer than a note is given
MANY = 7  # outages; of so many deaths a row would be given up


class Shop:
    """An event that failed once and is tried again, and outages that begin while it is run."""

    def __init__(self, url: str, outage: Outage) -> None:
        on = Handlers("shop")
        self.acts: list[Callable[[Session], None]] = []
        fails = [True]

        @on(Placed, name="place")
        def place(event: Placed, db: Session) -> None:
            if fails[0]:
                raise ValueError("not yet")
            note(db, "place", event.n)
            if self.acts:
                self.acts.pop(0)(db)

        self.outage = outage
        self.pipeline = Pipeline(url, on)
        self.pipeline.handle(*placed([0]))
        fails[0] = False
        self.clock = self.pipeline.clock
        self.clock.on_sleep = lambda _count: self._wait()
        self.when_gone: Callable[[], None] = lambda: None
        self.when_back: Callable[[], None] = lambda: None

    def other(self) -> Worker:
        """Another worker of the group, that has swept before."""
        made = self.pipeline.worker(GROUP)
        look(made)
        return made

    def lose(self, db: Session) -> None:
        """The database goes away."""
        self.outage.begin()
        self._away_at = self.clock.now
        self.when_gone()
        db.execute(text("SELECT 1"))

    def _wait(self) -> None:
        """Whoever waits for the database waits so long; somebody else may be sooner to see that it is back."""
        if not self.outage.is_on:
            return
        if self.clock.now - self._away_at >= LONG:
            self.outage.end()
            self.when_back()

    def is_done(self) -> bool:
        done = self.pipeline.effects() == [0] and self.pipeline.is_clean()
        return done and not self.pipeline.rows("start", "id")


@pytest.fixture
def shop(pipeline_postgres: str) -> Iterator[Shop]:
    with outages_of(pipeline_postgres) as outage:
        made = Shop(pipeline_postgres, outage)
        yield made
    made.pipeline.close()


def look(worker: Worker) -> None:
    """A sweep that runs nothing."""
    worker.sweep(lambda: False, lambda: 0)


def test_a_worker_takes_its_note_back_before_it_counts(shop: Shop) -> None:
    shop.acts = [shop.lose] * MANY
    shop.pipeline.later()
    assert not shop.acts
    assert shop.is_done()


def test_a_worker_that_is_back_sooner_does_not_count_the_notes_of_others(shop: Shop) -> None:
    other = shop.other()

    def meet_it() -> None:
        with pytest.raises(DatabaseAway):
            look(other)

    shop.when_gone, shop.when_back = meet_it, lambda: look(other)
    shop.acts = [shop.lose] * MANY
    shop.pipeline.later()
    assert not shop.acts
    assert shop.is_done()


def test_one_that_began_during_the_outage_does_not_either(shop: Shop) -> None:
    others: list[Worker] = []

    def begin() -> None:
        others.append(shop.pipeline.worker(GROUP))
        with pytest.raises(DatabaseAway):
            look(others[0])

    def go_on() -> None:
        look(others.pop())

    shop.when_gone, shop.when_back = begin, go_on
    shop.acts = [shop.lose] * MANY
    shop.pipeline.later()
    assert not shop.acts
    assert shop.is_done()


def test_who_died_before_it_is_counted_a_little_later(shop: Shop) -> None:
    def kill(_db: Session) -> None:
        raise Killed

    other = shop.other()
    shop.acts = [kill]
    with pytest.raises(Killed):
        shop.pipeline.later()
    shop.outage.begin()
    shop.clock.now += LONG
    with pytest.raises(DatabaseAway):
        look(other)
    shop.outage.end()
    look(other)
    assert shop.pipeline.rows("parked", "starts") == [0]
    for _ in range(2):
        shop.clock.now += 5.0
        look(other)
    assert shop.pipeline.rows("parked", "starts") == [1]
    assert shop.pipeline.rows("start", "id") == []
