"""A bounded pass is not held up: by a log that does not say what there is, nor by a database that is away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from consumers.pipeline import TOPIC, Pipeline, Play, placed
from consumers.run.bounded_passes import Listen, shop
from consumers.upkeep.deploys import stopped
from oyez.consumers import ListenSettings
from oyez.consumers.core.record import Record
from oyez.consumers.database import DatabaseAway
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.log import LogAway, LogError
from oyez.consumers.logs.memory import MemoryGroup, MemoryGroupOffsets, MemoryLog
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.run.bounded_pass import one_pass
from oyez.consumers.run.group_pass import GroupPass
from oyez.consumers.run.listened import Listened
from oyez.consumers.worker.retry_loop import Once


class Odd(MemoryLog):
    """A log that says what it is told to say; each of its polls takes a second."""

    def __init__(self, pipeline: Pipeline, *, settled: bool, more: int) -> None:
        (group,) = pipeline.logs.values()
        super().__init__(group)
        group.members.append(self)
        self._clock = pipeline.clock
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


def odd_pass(pipeline: Pipeline, limit: int, **said: Any) -> tuple[GroupPass, float]:
    """A pass over an odd log, and how long it took."""
    stopped(pipeline)
    (group,) = pipeline.application.groups.values()
    settings = ListenSettings(topic=TOPIC)
    worker = make_worker(
        group,
        settings,
        engine=pipeline.engine,
        source=Odd(pipeline, **said),
        clock=pipeline.clock,
        retry_loop=Once,
    )
    bounded, begun = (
        GroupPass([worker], limit, timer=pipeline.clock, sleep=pipeline.clock.sleep),
        pipeline.clock(),
    )
    bounded.run()
    worker.leave()
    return bounded, pipeline.clock() - begun


def test_a_log_that_says_there_is_more_and_gives_nothing_is_at_its_end(play: Play) -> None:
    """In Kafka, transactions leave marks that count as records."""
    pipeline = play(shop())
    pipeline.announce(*placed(range(3)))
    bounded, seconds = odd_pass(pipeline, 10, settled=True, more=1)
    assert bounded.handled == 3
    assert seconds < 15.0


@pytest.mark.parametrize("limit", [10, 1])
def test_a_log_that_never_says_what_there_is_does_not_hold_the_pass_up(
    play: Play, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = play(shop())
    pipeline.announce(*placed(range(3)))
    bounded, seconds = odd_pass(pipeline, limit, settled=False, more=0)
    assert bounded.handled == min(limit, 3)
    assert seconds < 25.0
    assert "shop.placed: the log did not say" in caplog.text


class Shy(MemoryGroupOffsets):
    """Offsets that are not told for a while."""

    _left = 3

    def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        self._left -= 1
        if self._left > 0:
            raise LogAway("as told")
        return super().committed(partitions)


def shy_log(group: MemoryGroup) -> MemoryLog:
    """A member of a group whose log gives no answer for a while."""
    log = group.join()
    log.offsets = Shy(group)
    return log


def test_partitions_that_cannot_be_had_yet_are_waited_for(play: Play, pipeline_database: str) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(3)))
    (group,) = pipeline.application.groups.values()
    settings = ListenSettings(database=pipeline_database, topic=TOPIC)
    done = one_pass([group], settings, 10, log_for=lambda one, _s, _e: shy_log(pipeline.logs[one.name]))
    assert done == Listened(3, 0, 0)


def test_a_database_that_is_away_ends_it_at_once(
    play: Play, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(3)))
    calls: list[int] = []

    def handle(*_given: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise AssertionError("it tried again")
        raise DatabaseAway("as told")

    with monkeypatch.context() as patched:
        patched.setattr("oyez.consumers.execution.execution.Execution.handle", handle)
        with pytest.raises(DatabaseAway):
            listen(pipeline, 10)
    assert listen(pipeline, 10) == Listened(3, 0, 0)


def test_a_log_that_ends_is_no_death(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that is run again each minute would else soon handle events one at a time."""
    pipeline = play(shop())
    pipeline.announce(*placed(range(3)))

    def poll(self: Odd, _limit: int, _wait: float) -> Sequence[Record]:
        if self.positions():
            raise LogError("it is gone")
        self.idle()
        self._rebalance()
        return []

    monkeypatch.setattr(Odd, "poll", poll)
    with pytest.raises(LogError):
        odd_pass(pipeline, 10, settled=True, more=0)
    assert pipeline.rows("position", "acquisitions") == [0]
