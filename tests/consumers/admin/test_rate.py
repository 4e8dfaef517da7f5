"""Bulk operations at a rate: never faster, in order, and stopped between two steps."""

from __future__ import annotations

import json
import signal
from math import ceil
from pathlib import Path

import pytest
from sqlalchemy import Connection

from consumers.admin.admin_pipeline import Failing, Operator
from consumers.admin.cafe_commands import APPS, Cafe
from consumers.admin.conftest import OperatorPipeline
from consumers.cli.running import Shop
from consumers.pipeline import Placed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.admin import Pacing, Retry, Steps, Tally
from oyez.consumers.core.rate_limit import Pace
from oyez.consumers.database import Database
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.tables import dead
from support.waiting import eventually


class Time:
    """A clock that goes on only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def with_dead_letters(operator: OperatorPipeline, count: int) -> Operator:
    failing = Failing()
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    one = operator(on)
    failing.tell("place", *range(count), error=Reject("as told"))
    one.pipeline.handle(*(Placed(k=f"k{n % 2}", n=n) for n in range(count)))
    failing.repair()
    return one


def retry(one: Operator, pacing: Pacing, time: Time) -> tuple[Tally, list[float]]:
    """What was done, and the time at which each was."""
    at: list[float] = []
    steps = Steps(Database(one.pipeline.engine), pacing, clock=time, sleep=time.sleep)
    wanted = Filter(app=one.app)
    operation = Retry(one.pipeline.application, one.pipeline.clock)
    ids = steps.choose(dead, wanted)
    return steps.apply(operation, ids, wanted, lambda count: at.extend([time.now] * count)), at


@pytest.mark.parametrize("rate", [0.5, 70])
def test_no_faster_than_the_rate_and_in_order(operator: OperatorPipeline, rate: float) -> None:
    one, time = with_dead_letters(operator, 20), Time()
    tally, at = retry(one, Pacing.at(Pace(1 / rate, timer=time, sleep=time.sleep), lambda: False), time)
    assert (tally.done, tally.stopped, len(at)) == (20, 0, 20)
    for first, moment in enumerate(at):
        for count, later in enumerate(at[first:]):
            assert count + 1 <= rate * (later - moment) + max(1, ceil(rate / 10)) + 1e-6
    one.pipeline.run()
    for key in range(2):
        assert [n for n in one.pipeline.effects() if n % 2 == key] == list(range(key, 20, 2))


def test_as_fast_as_it_can_be_unless_a_rate_is_said() -> None:
    assert [Pacing.at(Pace(interval), lambda: False).size for interval in (0.0, 0.0001, 0.01, 0.2, 60)] == [
        500,
        500,
        10,
        1,
        1,
    ]


def test_after_a_stop_nothing_is_begun_and_what_is_left_is_counted(operator: OperatorPipeline) -> None:
    one, time = with_dead_letters(operator, 20), Time()
    pace = Pace(1.0, timer=time, sleep=time.sleep)
    tally, at = retry(one, Pacing.at(pace, lambda: time.now >= 104.5), time)
    assert (tally.done, tally.stopped, len(at)) == (5, 15, 5)
    assert (len(one.parked()), len(one.dead())) == (5, 15)


def test_the_command_says_how_many_when_it_is_interrupted(
    cafe: Cafe, tmp_path: Path, pipeline_database: str
) -> None:
    cafe.module.broken.add("menu")
    cafe.handle(*(cafe.module.Ordered(table=f"t{n}", n=2 + 6 * n) for n in range(40)))
    settings = {"OYEZ_APP": "cafe:on", "OYEZ_DATABASE": pipeline_database, "OYEZ_TRANSPORT": "memory"}
    shop = Shop(tmp_path, {**settings, "PYTHONPATH": str(APPS)})
    with shop.running("dead", "retry", "--rate", "3/s", "--yes", "--json") as running:
        eventually(lambda: len(cafe.pipeline.rows("parked", "id")) >= 2)
        assert running.end(signal.SIGINT) == 130
        said = running.said()
    (line,) = (line for line in said.splitlines() if line.startswith("["))
    (row,) = json.loads(line)
    left = len(cafe.pipeline.rows("dead", "id"))
    assert row["retried"] == len(cafe.pipeline.rows("parked", "id")) == 40 - left
    assert row["stopped"] == left > 0
    assert f"oyez: stopped: {left} deliveries are left as they were" in said
    assert "Traceback" not in said


def test_forced_ones_are_run_at_a_rate_too(cafe: Cafe) -> None:
    cafe.handle(*(cafe.module.Paid(table=f"t{n}", n=n) for n in range(6)))
    (row,) = cafe.json("retry", "release", "--force", "--rate", "600/s", "--yes")
    assert (row["matched"], row["handled"]) == (6, 6)
    assert sorted(cafe.pipeline.effects()) == list(range(6))


def test_a_rate_that_is_none(cafe: Cafe) -> None:
    for rate in ("0", "fast", "5/day", "-1"):
        assert f"--rate {rate}: write a number of deliveries" in cafe.refused(
            2, "dead", "retry", f"--rate={rate}"
        )
