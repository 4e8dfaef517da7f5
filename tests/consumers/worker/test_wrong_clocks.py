"""The database's clock leaps for a while, and comes back: whatever happened meanwhile, nobody can tell afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Play, Viewed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.clock import Clock, DatabaseClock
from oyez.consumers.run.assembly import make_worker

DAY = 86_400.0
MANY = 20


class Leaping:
    """A database's clock that is off by so much."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.off = 0.0

    def __call__(self, _db: object) -> float:
        return self._pipeline.clock.now + self.off


def by_a_clock_that_leaps(play: Play) -> tuple[Pipeline, Leaping]:
    """Sessions are opened, and views wait for them; one handler fails once. All by a clock that can be set."""
    on = Handlers("shop")
    failed: set[int] = set()

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Session) -> None:
        if event.n == 0 and not failed:
            failed.add(event.n)
            raise ValueError("once")
        note(db, "viewed", event.n)

    pipeline = play(on)
    leaping = Leaping(pipeline)
    for name in pipeline.application.groups:
        go_by(pipeline, name, DatabaseClock(leaping, timer=pipeline.clock))
    return pipeline, leaping


def go_by(pipeline: Pipeline, group: str, clock: Clock) -> None:
    """Another worker takes the group's place, and goes by this clock."""
    pipeline.workers[group]._wakeups.close()
    pipeline.workers[group]._log.close()
    pipeline.workers[group] = make_worker(
        pipeline.application.groups[group],
        pipeline._settings,
        engine=pipeline.engine,
        source=pipeline.logs[group].join(),
        clock=clock,
        sleep=pipeline.clock.sleep,
        timer=pipeline.clock,
    )


def sweep(pipeline: Pipeline, seconds: float = 15.0) -> None:
    """For so long everybody works and sweeps."""
    for _ in range(int(seconds / 5)):
        pipeline.clock.now += 5.0
        for worker in pipeline.workers.values():
            while worker.step():
                pass


def test_what_waits_is_not_given_up(play: Play) -> None:
    pipeline, leaping = by_a_clock_that_leaps(play)
    pipeline.announce(*[Viewed(k=f"k{n}", s=f"s{n}", n=n) for n in range(MANY)])
    sweep(pipeline)
    assert len(pipeline.rows("parked", "id")) == MANY
    for off in (2 * DAY, 0.0, -2 * DAY, 30 * DAY, 0.0):
        leaping.off = off
        sweep(pipeline)
    assert (len(pipeline.rows("parked", "id")), pipeline.dead()) == (MANY, [])


def test_what_is_released_or_fails_meanwhile_is_not_put_off(play: Play) -> None:
    pipeline, leaping = by_a_clock_that_leaps(play)
    pipeline.announce(*[Viewed(k=f"k{n}", s=f"s{n}", n=n) for n in range(MANY)])
    sweep(pipeline)
    leaping.off = 2 * DAY
    sweep(pipeline, 5.0)
    pipeline.announce(*[Opened(k=f"k{n}", s=f"s{n}", n=n) for n in range(MANY)])
    pipeline.workers["shop.opened"].step()
    leaping.off = 0.0
    sweep(pipeline)
    assert sorted(pipeline.effects("viewed")) == list(range(MANY))
    assert pipeline.is_clean()


@pytest.mark.parametrize("ahead", [3_600.0, 30 * DAY])
def test_what_is_released_is_due_at_once_whatever_any_clock_says(play: Play, ahead: float) -> None:
    """Also where two processes have no time in common at all."""
    pipeline, _ = by_a_clock_that_leaps(play)
    go_by(pipeline, "shop.opened", lambda _db: pipeline.clock.now + ahead)
    pipeline.announce(*[Viewed(k="k", s="s", n=n) for n in range(1, MANY)])
    sweep(pipeline)
    pipeline.announce(Opened(k="k", s="s"))
    pipeline.run()
    assert pipeline.effects("viewed") == list(range(1, MANY))
    assert pipeline.is_clean()


def test_what_was_taken_is_not_forgotten(play: Play) -> None:
    pipeline, leaping = by_a_clock_that_leaps(play)
    pipeline.announce(*[Opened(k=f"k{n}", s=f"s{n}", n=n) for n in range(MANY)], *placed(range(3)))
    sweep(pipeline)
    taken = len(pipeline.rows("inbox", "event_id"))
    leaping.off = 15 * DAY
    sweep(pipeline, 120.0)
    leaping.off = 0.0
    sweep(pipeline, 120.0)
    assert len(pipeline.rows("inbox", "event_id")) == taken >= MANY


def test_a_leap_that_stays_is_the_time(play: Play) -> None:
    pipeline, leaping = by_a_clock_that_leaps(play)
    pipeline.announce(Viewed())
    sweep(pipeline)
    leaping.off = 2 * DAY
    sweep(pipeline, 700.0)
    assert [reason[:9] for _, _, reason in pipeline.dead()] == ["never met"]
