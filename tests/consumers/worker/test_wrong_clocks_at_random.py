"""Whatever the clocks of workers do, and the database's for a while: it goes as it does with right ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.database.clock import DatabaseClock
from oyez.consumers.run.assembly import make_worker

DAY = 86_400.0
GROUPS = ("shop.opened", "shop.viewed")
OFF = st.floats(-30 * DAY, 30 * DAY)


@dataclass
class Step:
    """An event of a session or none, then so many seconds; the clocks are off by so much from then on."""

    event: tuple[str, int] | None
    seconds: float
    walls: dict[str, float]
    timers: dict[str, float]
    database: float


def schedules(
    timer: st.SearchStrategy[float], database: st.SearchStrategy[float]
) -> st.SearchStrategy[list[Step]]:
    """What happens, with timers and a database's clock like these."""
    step = st.builds(
        Step,
        st.none() | st.tuples(st.sampled_from(["view", "open"]), st.integers(0, 3)),
        st.floats(1.0, 20.0),
        st.fixed_dictionaries(dict.fromkeys(GROUPS, OFF)),
        st.fixed_dictionaries(dict.fromkeys(GROUPS, timer)),
        database,
    )
    return st.lists(step, min_size=1, max_size=6)


RIGHT = st.just(0.0)
STEPS = schedules(OFF, RIGHT) | schedules(RIGHT, RIGHT | OFF)
"""Machines' clocks are wrong, or their walls' and the database's: never a timer and the database's at once."""


@dataclass
class Off:
    """By how much a worker's clocks, and the database's, are off."""

    walls: dict[str, float] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0.0))
    timers: dict[str, float] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0.0))
    database: float = 0.0


@contextmanager
def shop(file: Path) -> Iterator[tuple[Pipeline, Off]]:
    """Views that wait for their sessions, by clocks that can be set."""
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    pipeline, off = Pipeline(f"sqlite:///{file}", on, max_age=10_000.0), Off()
    for name in GROUPS:
        pipeline.workers[name]._log.close()
        pipeline.workers[name] = make_worker(
            pipeline.application.groups[name],
            pipeline._settings,
            engine=pipeline.engine,
            source=pipeline.logs[name].join(),
            clock=clock_of(pipeline, off, name),
            sleep=pipeline.clock.sleep,
            timer=pipeline.clock,
        )
    yield pipeline, off
    pipeline.close()


def clock_of(pipeline: Pipeline, off: Off, name: str) -> DatabaseClock:
    return DatabaseClock(
        lambda _db: pipeline.clock.now + off.database,
        timer=lambda: pipeline.clock.now + off.timers[name],
        wall=lambda: pipeline.clock.now + off.walls[name],
    )


def played(file: Path, steps: list[Step], *, wrong: bool) -> list[Any]:
    """What there is after each step: effects, dead letters, and how much was taken."""
    seen = []
    with shop(file) as (pipeline, off):
        for n, step in enumerate(steps):
            if step.event is not None:
                kind, session = step.event
                signal = Viewed if kind == "view" else Opened
                pipeline.announce(signal(k=f"k{session}", s=f"s{session}", n=n))
            if wrong:
                off.walls, off.timers, off.database = step.walls, step.timers, step.database
            until = pipeline.clock.now + step.seconds
            while pipeline.clock.now < until:
                pipeline.clock.now += 5.0
                for name in (*GROUPS, *GROUPS):
                    pipeline.workers[name].step()
            seen.append((pipeline.effects(), pipeline.dead(), len(pipeline.rows("inbox", "event_id"))))
            off.database = 0.0
    return seen


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_it_goes_as_with_right_clocks(prepared_sqlite: Path, tmp_path: Path, steps: list[Step]) -> None:
    """Nothing is dead, doubled, forgotten, or later."""
    right = played(Path(shutil.copy(prepared_sqlite, tmp_path / "right.db")), steps, wrong=False)
    wrong = played(Path(shutil.copy(prepared_sqlite, tmp_path / "wrong.db")), steps, wrong=True)
    assert wrong == right
    assert all(dead == [] for _, dead, _ in wrong)
