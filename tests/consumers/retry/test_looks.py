"""On SQLite a worker looks when something was written, by whomever, and as long as there is a row that will be due."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from consumers.partitions.test_dying_workers import GROUP
from consumers.pipeline import Pipeline, Placed, placed
from oyez.consumers import Handlers
from oyez.consumers.retry.wakeups import Wakeups


class Watched:
    """What tells a worker to look, beside another worker of its group whose handler fails."""

    def __init__(self, url: str) -> None:
        on = Handlers("shop")

        @on(Placed, name="place")
        def place(event: Placed, db: Session) -> None:
            raise ValueError("not yet")

        self.pipeline = Pipeline(url, on)
        self.wakeups: Wakeups = self.pipeline.worker(GROUP)._wakeups
        self.queries: list[str] = []
        event.listen(
            self.pipeline.engine, "before_cursor_execute", lambda *given: self.queries.append(given[2])
        )

    def due(self) -> bool:
        """Whether it says so, half a second later."""
        self.pipeline.clock.now += 0.5
        return self.wakeups.due()

    def park(self) -> None:
        """The other worker parks something, which is due later."""
        self.pipeline.announce(*placed([1]))
        while not self.pipeline.workers[GROUP].step():
            pass


@pytest.fixture
def watched(pipeline_sqlite: str) -> Iterator[Watched]:
    made = Watched(pipeline_sqlite)
    yield made
    made.wakeups.close()
    made.pipeline.close()


def test_as_long_as_nothing_is_written_nothing_is_asked(watched: Watched) -> None:
    assert not watched.due()
    assert watched.queries, "the first look"
    watched.queries.clear()
    assert not any(watched.due() for _ in range(20))
    assert watched.queries == []


def test_what_another_worker_parked_is_seen_when_it_is_due(watched: Watched) -> None:
    assert not watched.due()
    watched.park()
    watched.pipeline.clock.now += 4_000.0
    assert watched.due()


def test_nobody_has_to_write_anything_when_it_becomes_due(watched: Watched) -> None:
    watched.park()
    parked = watched.pipeline.rows("parked", "due_at")
    watched.pipeline.clock.now = parked[0] - 1.0
    assert not watched.wakeups.due(), "it was seen, and is not due"
    assert not watched.due()
    watched.pipeline.clock.now += 1.0
    assert watched.due()
    assert watched.due(), "until it is run"
