"""A bounded pass is not held up: by a log that does not say what there is, nor by a database that is away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from consumers.deploys import stopped
from consumers.passes import Listen, shop
from consumers.stage import TOPIC, Play, Stage, placed
from oyez.consumers import ListenSettings
from oyez.consumers.core.record import Record
from oyez.consumers.database import DatabaseAway
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.log import LogAway
from oyez.consumers.logs.memory import MemoryGroup, MemoryLog
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.run.bounded_pass import Pass, one_pass
from oyez.consumers.run.listened import Listened
from oyez.consumers.worker.retry_loop import Once


class Odd(MemoryLog):
    """A log that says what it is told to say; each of its polls takes a second."""

    def __init__(self, stage: Stage, *, settled: bool, more: int) -> None:
        (group,) = stage.logs.values()
        super().__init__(group)
        group.members.append(self)
        self._clock = stage.clock
        self._says_settled = settled
        self._more = more

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._clock.now += 1.0
        return super().poll(limit, wait)

    def idle(self) -> None:
        self._clock.now += 1.0

    def is_settled(self) -> bool:
        return self._says_settled and super().is_settled()

    def lags(self) -> dict[Partition, int]:
        return {partition: lag + self._more for partition, lag in super().lags().items()}


def odd_pass(stage: Stage, limit: int, **said: Any) -> tuple[Pass, float]:
    """A pass over an odd log, and how long it took."""
    stopped(stage)
    (group,) = stage.application.groups.values()
    settings = ListenSettings(topic=TOPIC)
    worker = make_worker(
        group, settings, engine=stage.engine, source=Odd(stage, **said), clock=stage.clock, patience=Once
    )
    bounded, begun = Pass([worker], limit, timer=stage.clock, sleep=stage.clock.sleep), stage.clock()
    bounded.run()
    worker.leave()
    return bounded, stage.clock() - begun


def test_a_log_that_says_there_is_more_and_gives_nothing_is_at_its_end(play: Play) -> None:
    """In Kafka, transactions leave marks that count as records."""
    stage = play(shop())
    stage.announce(*placed(range(3)))
    bounded, seconds = odd_pass(stage, 10, settled=True, more=1)
    assert bounded.handled == 3
    assert seconds < 15.0


@pytest.mark.parametrize("limit", [10, 1])
def test_a_log_that_never_says_what_there_is_does_not_hold_the_pass_up(
    play: Play, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    stage = play(shop())
    stage.announce(*placed(range(3)))
    bounded, seconds = odd_pass(stage, limit, settled=False, more=0)
    assert bounded.handled == min(limit, 3)
    assert seconds < 25.0
    assert "shop.placed: the log did not say" in caplog.text


class Shy(MemoryLog):
    """A log that gives no answer for a while."""

    def __init__(self, group: MemoryGroup) -> None:
        super().__init__(group)
        group.members.append(self)
        self._left = 3

    def told(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        self._left -= 1
        if self._left > 0:
            raise LogAway("as told")
        return super().told(partitions)


def test_partitions_that_cannot_be_had_yet_are_waited_for(play: Play, stage_database: str) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(3)))
    (group,) = stage.application.groups.values()
    settings = ListenSettings(database=stage_database, topic=TOPIC)
    done = one_pass([group], settings, 10, log_for=lambda one, _s, _e: Shy(stage.logs[one.name]))
    assert done == Listened(3, 0, 0)


def test_a_database_that_is_away_ends_it_at_once(
    play: Play, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(3)))
    calls: list[int] = []

    def handle(*_given: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise AssertionError("it tried again")
        raise DatabaseAway("as told")

    with monkeypatch.context() as patched:
        patched.setattr("oyez.consumers.execution.execution.Execution.handle", handle)
        with pytest.raises(DatabaseAway):
            listen(stage, 10)
    assert listen(stage, 10) == Listened(3, 0, 0)
