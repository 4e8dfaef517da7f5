"""An at-least-once batch has run, and the database is away: the worker goes on, and nothing runs again for that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event as hook

from consumers.partitions.test_dying_workers import GROUP, Killed
from consumers.pipeline import Pipeline, Placed, Play, placed
from oyez.consumers import Handlers


class Outage:
    """No connection is to be had, until the worker has slept a few times or somebody ends it."""

    def __init__(self, pipeline: Pipeline, sleeps: int = 3) -> None:
        self._pipeline = pipeline
        self._sleeps = sleeps
        self.refused = 0

    def begin(self) -> None:
        until = self._pipeline.clock.sleeps + self._sleeps
        self._pipeline.clock.on_sleep = lambda count: self.end() if count >= until else None
        hook.listen(self._pipeline.engine, "do_connect", self._refuse)
        self._pipeline.engine.dispose()

    def end(self) -> None:
        if hook.contains(self._pipeline.engine, "do_connect", self._refuse):
            hook.remove(self._pipeline.engine, "do_connect", self._refuse)

    def _refuse(self, *_: Any) -> None:
        self.refused += 1
        raise self._pipeline.engine.dialect.loaded_dbapi.OperationalError("connection refused")


class Shop:
    """An at-least-once group whose database goes away while the event numbered ``away`` is handled."""

    def __init__(self, play: Play, away: int, dies_on: int = -1) -> None:
        on = Handlers("shop", promises={"placed": "at-least-once"})
        self.ran: list[int] = []
        self.dies_on = dies_on

        @on(Placed, name="place", order="none")
        def place(event: Placed) -> None:
            if event.n == self.dies_on:
                raise Killed
            self.ran.append(event.n)
            if event.n == away and self.ran.count(away) == 1:
                self._outage.begin()

        self.pipeline = play(on)
        self._outage = Outage(self.pipeline)

    def work(self) -> None:
        """Read to the end of the log, until the outage is over."""
        for _ in range(4):
            self.pipeline.clock.now += 0.1
            while self.pipeline.workers[GROUP].step():
                pass
        self._outage.end()
        assert self._outage.refused, "the outage was met"

    def acquisitions(self) -> list[int]:
        found: list[int] = self.pipeline.rows("position", "acquisitions")
        return found


def test_a_batch_that_has_run_is_committed_though_the_database_is_away(play: Play) -> None:
    shop = Shop(play, away=0)
    shop.pipeline.announce(*placed(range(3)))
    shop.work()
    shop.pipeline.replace(GROUP)
    shop.pipeline.run()
    assert shop.ran == [0, 1, 2]


def test_the_count_of_deaths_is_taken_back_with_the_next_batch(play: Play) -> None:
    shop = Shop(play, away=0)
    shop.pipeline.announce(*placed(range(3)))
    shop.work()
    assert shop.acquisitions() == [1], "the database was away"
    shop.pipeline.handle(*placed(range(3, 5)))
    assert shop.ran == [0, 1, 2, 3, 4]
    assert shop.acquisitions() == [0]


def test_what_was_run_alone_is_committed_though_the_database_is_away(play: Play) -> None:
    """Workers have died here, so events are handled alone: the one in hand when the database goes is done."""
    shop = Shop(play, away=0, dies_on=0)
    shop.pipeline.announce(*placed(range(3)))
    for _ in range(4):
        with pytest.raises(Killed):
            shop.pipeline.run()
        shop.pipeline.replace(GROUP)
    shop.dies_on = -1
    shop.work()
    assert shop.ran == [0, 1, 2]
    assert shop.pipeline.dead() == []
    assert shop.pipeline.rows("position", "acquisitions", "suspect", "starts") == [(0, None, 0)]
