"""A batch of an at-least-once group has run, and what has failed cannot be parked, for the database is away: when it is
back, partitions may be another worker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from consumers.partitions.test_outages_after_a_batch import Outage
from consumers.pipeline import Placed, Play, placed
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database, DatabaseAway
from oyez.consumers.logs.offsets import AT_LEAST_ONCE

EVENTS, FAILING, GROUP = 9, 3, "shop.placed"


class Shop:
    """Every third event fails, and the database goes away when the last one has run."""

    def __init__(self, play: Play, how: str) -> None:
        on = Handlers("shop", promises={"placed": "at-least-once"})
        self.ran: list[int] = []

        def act(event: Placed) -> None:
            self.ran.append(event.n)
            if event.n == EVENTS - 1:
                self._outage.begin()
            if event.n % FAILING == 0:
                raise ValueError(event.n)

        @on(Placed, name="place", order="none")
        def place(event: Placed) -> None:
            act(event)

        if how == "beside lanes":

            @on(Placed, name="begin", concurrency=8)
            async def begin(event: Placed) -> None:
                self.begun.append(event.n)

        self.begun: list[int] = []
        self.pipeline = play(on)
        self.group = self.pipeline.logs[GROUP]
        self._outage = Outage(self.pipeline)
        self.pipeline.announce(*placed(range(EVENTS)))

    def run(self, meanwhile: Callable[[], None]) -> None:
        """Something is done while the worker waits for the database."""
        clock, waits = self.pipeline.clock, [0]
        until = clock.sleeps + 60

        def slept(count: int) -> None:
            waits[0] += self._outage.refused > 0
            if waits[0] == 1:
                meanwhile()
            if waits[0] == 3:
                self._outage.end()

        ends = iter(range(500))
        begin = self._outage.begin

        def begun() -> None:
            begin()
            clock.on_sleep = slept

        self._outage.begin = begun  # type: ignore[method-assign]
        reading = self.pipeline.workers[GROUP].reading
        self.pipeline.workers[GROUP].run(
            lambda: (
                clock.sleeps >= until
                or (waits[0] >= 3 and not reading.is_under_way and next(ends, None) is None)
            )
        )
        self._outage.end()
        assert waits[0] > 1, "the outage was met"

    def lose(self, others: int | None = None) -> None:
        """The watchdog polls, and hears that the partition is another worker's, and, if ``others`` says how far that
        one has got, that it has come back."""
        (mine,) = self.group.members
        (partition,) = mine.positions()
        self.group.members.clear()
        mine.idle()
        if others is not None:
            self.group.offsets[partition] = (others, AT_LEAST_ONCE)
            self.group.members.append(mine)
            mine.idle()

    @property
    def committed(self) -> list[int]:
        return [offset for offset, _promise in self.group.offsets.values()]


HOWS = pytest.mark.parametrize("how", ["alone", "beside lanes"])


@HOWS
def test_what_is_still_its_own_is_parked(play: Play, how: str) -> None:
    shop = Shop(play, how)
    shop.run(lambda: None)
    assert shop.ran == list(range(EVENTS))
    assert [n for _, n, _ in shop.pipeline.parked()] == list(range(0, EVENTS, FAILING))
    assert shop.committed == [EVENTS]


@HOWS
def test_what_is_another_workers_is_left_to_it(play: Play, how: str) -> None:
    shop = Shop(play, how)
    shop.run(shop.lose)
    assert shop.pipeline.is_clean()
    assert shop.committed == []
    assert shop.begun == []


@HOWS
def test_what_another_worker_has_handled_is_not_parked_when_it_comes_back(play: Play, how: str) -> None:
    shop = Shop(play, how)
    shop.run(lambda: shop.lose(EVENTS))
    assert shop.ran == list(range(EVENTS))
    assert shop.pipeline.is_clean()
    assert shop.committed == [EVENTS]
    assert shop.begun == []


def test_where_handlers_run_in_the_transaction_the_batch_goes_by_what_is_paused_by_then(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = Handlers("shop", promises={"placed": "at-least-once"})
    ran: list[int] = []

    @on(Placed, name="place", order="none")
    def place(event: Placed, db: Session) -> None:
        ran.append(event.n)

    pipeline = play(on)
    pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, 86_400.0)
    execution = pipeline.workers[GROUP].reading._execution
    handle = execution.handle

    def away(*_given: Any) -> Any:
        monkeypatch.setattr(execution, "handle", handle)
        raise DatabaseAway("refused")

    def pause(_count: int) -> None:
        pipeline.clock.on_sleep = lambda _count: None
        assert pausing.pause(pausing.scope("place", None), "me@here", None)
        pipeline.clock.now += 5

    monkeypatch.setattr(execution, "handle", away)
    pipeline.clock.on_sleep = pause
    pipeline.handle(*placed(range(EVENTS)))
    assert ran == []
    assert len(pipeline.parked()) == EVENTS
