"""A row that kills its worker after a while is in another one's hand as soon as it is free: nobody waits for that, and
each death is counted all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consumers.partitions.test_dying_workers import GROUP, KILLED, Killed
from consumers.pipeline import Pipeline, Placed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database import start_notes
from oyez.consumers.database.tables import parked
from oyez.consumers.worker.worker import Worker

SLOW = 10.0  # s; longer than a note is given
LIMIT = 20.0  # s of the test's own, in which nobody who does not wait needs longer
KILLER = 2


class Shop:
    """Events that failed once and are tried again. The one numbered 2 kills its worker after so long."""

    def __init__(self, url: str, count: int) -> None:
        on = Handlers("shop")
        fails = [True]
        self.meanwhile: Callable[[], None] = lambda: None
        self.has_waited = False

        @on(Placed, name="place")
        def place(event: Placed, db: Session) -> None:
            if fails[0]:
                raise ValueError("not yet")
            note(db, "place", event.n)
            if event.n == KILLER:
                self.pipeline.clock.now += SLOW
                self.meanwhile()
                raise Killed

        self.pipeline = Pipeline(url, on)
        self.pipeline.handle(*placed(range(KILLER, KILLER + count)))
        fails[0] = False
        self.pipeline.clock.now += 4_000.0

    def look(self, worker: Worker) -> None:
        """A sweep that runs nothing."""
        sweep = threading.Thread(target=lambda: worker.sweep(lambda: False, lambda: 0))
        sweep.start()
        sweep.join(LIMIT)
        self.has_waited = self.has_waited or sweep.is_alive()


@pytest.fixture
def opened(pipeline_postgres: str) -> Iterator[Callable[[int], Shop]]:
    shops: list[Shop] = []

    def open_shop(count: int) -> Shop:
        shops.append(Shop(pipeline_postgres, count))
        return shops[-1]

    yield open_shop
    for shop in shops:
        shop.pipeline.close()


def die(worker: Worker) -> None:
    with pytest.raises(Killed):
        worker.run_due(lambda: False, lambda: 500)


def test_a_sweep_does_not_wait_for_rows_that_another_worker_runs(opened: Callable[[int], Shop]) -> None:
    shop = opened(3)
    first, second, third = (shop.pipeline.worker(GROUP) for _ in range(3))
    die(first)
    shop.pipeline.clock.now += SLOW
    shop.meanwhile = lambda: shop.look(third)
    die(second)
    shop.look(third)
    assert not shop.has_waited
    assert sorted(shop.pipeline.rows("parked", "starts")) == [2, 2, 2]
    assert shop.pipeline.rows("start", "id") == []


@pytest.mark.parametrize("count", [1, 5])
def test_it_is_found_though_it_is_never_free_when_somebody_looks(
    opened: Callable[[int], Shop], count: int
) -> None:
    """Each that dies has a successor who looks while the row is run, and runs it next."""
    shop = opened(count)
    worker = shop.pipeline.worker(GROUP)
    successors: list[Worker] = []

    def succeed() -> None:
        successors.append(shop.pipeline.worker(GROUP))
        shop.look(successors[-1])

    shop.meanwhile = succeed
    deaths = 0
    while deaths < 40 and not shop.pipeline.dead():
        try:
            worker.run_due(lambda: False, lambda: 500)
        except Killed:
            worker = successors[-1]
            deaths += 1
    assert shop.pipeline.dead() == [("place", KILLER, KILLED)]
    assert not shop.has_waited
    assert deaths <= 8, (
        "three together, three alone; of each kind one more, since they are counted two by two"
    )
    assert sorted(shop.pipeline.effects()) == list(range(KILLER + 1, KILLER + count))
    shop.look(worker)
    assert shop.pipeline.rows("start", "id") == []


def test_who_was_beside_others_is_remembered_while_its_row_is_locked(opened: Callable[[int], Shop]) -> None:
    """A row that was not run alone is not given up for it, though it is the last of its note to be counted."""
    shop = opened(3)
    pipeline, now = shop.pipeline, shop.pipeline.clock.now
    ids = pipeline.rows("parked", "id")
    with pipeline.engine.begin() as db:
        db.execute(update(parked).values(starts=3))
        start_notes.note(db, GROUP, ids, now - SLOW)

    def starts() -> list[int]:
        with pipeline.engine.begin() as db:
            start_notes.count_abandoned(db, GROUP, 3, now)
        found: list[int] = pipeline.rows("parked", "starts")
        return found

    with pipeline.engine.begin() as db:
        db.execute(select(parked.c.id).where(parked.c.id == ids[0]).with_for_update())
        for _ in range(2):
            shop.look(pipeline.workers[GROUP])
            assert len(pipeline.rows("start", "id")) == 1
    assert starts() == [3, 3, 3]
    assert pipeline.rows("start", "id") == []
