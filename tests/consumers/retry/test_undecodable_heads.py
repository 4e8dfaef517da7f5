"""A parked head cannot be decoded any more, and is given up by a claim that takes it alone: its key goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, update

from consumers.lanes.lane_pipeline import LanePipeline
from consumers.pipeline import Pipeline, Placed, Play, note, placed
from oyez.consumers import Handlers, ListenSettings
from oyez.consumers.admin import Force, Pacing
from oyez.consumers.core.backoff import RetryPolicy
from oyez.consumers.database import Database
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.due import at_once
from oyez.consumers.database.tables import parked
from oyez.consumers.execution.execution import Execution
from oyez.consumers.execution.reader import Reader
from oyez.consumers.inline.intakes import InlineClaim

SOON = 60.0  # s; less than after which a worker looks at every parked row
OTHERS = range(100, 140)


def failing(concurrency: int | None = None) -> tuple[Handlers, set[int]]:
    """A handler that fails for these numbers."""
    on, bad = Handlers("shop"), {1}

    @on(Placed, **({} if concurrency is None else {"concurrency": concurrency}))
    def place(event: Placed, db: Connection) -> None:
        if event.n in bad:
            raise ValueError("as told")
        note(db, "place", event.n)

    return on, bad


def cannot_be_decoded(pipeline: Pipeline) -> None:
    """The first of a key has failed, two are behind it, which is noted no more; then nobody can read the first."""
    pipeline.handle(*(Placed(n=n) for n in (1, 2, 3)))
    for _ in range(3):
        pipeline.later(5.0)
    assert (pipeline.rows("behind", "id"), pipeline.effects()) == ([], [])
    first = min(n for n, key in pipeline.rows("parked", "id", "key") if key == "k1")
    with pipeline.engine.begin() as db:
        db.execute(update(parked).where(parked.c.id == first).values(value=b"{"))


def goes_on(pipeline: Pipeline) -> None:
    """What was behind it is run as soon as it was given up."""
    assert pipeline.rows("dead", "reason") == ["undecodable"]
    assert [n for n in pipeline.effects() if n not in OTHERS] == [2, 3]
    assert pipeline.rows("parked", "id") == []


def test_claimed_alone(play: Play) -> None:
    on, _ = failing()
    pipeline = play(on, batch=1)
    cannot_be_decoded(pipeline)
    pipeline.later(SOON)
    goes_on(pipeline)


def test_claimed_with_many_heads(play: Play) -> None:
    """They take up the claim, so that nothing behind a head has room in it."""
    on, bad = failing()
    bad.update(OTHERS)
    pipeline = play(on, batch=8, max_attempts=50)
    pipeline.handle(*placed(OTHERS))
    cannot_be_decoded(pipeline)
    bad.clear()
    pipeline.later(SOON)
    goes_on(pipeline)


@pytest.fixture
def lanes(pipeline_database: str) -> Iterator[Callable[[Handlers], LanePipeline]]:
    made: list[LanePipeline] = []

    def make(on: Handlers) -> LanePipeline:
        made.append(LanePipeline(pipeline_database, on))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_claimed_by_a_lane(lanes: Callable[[Handlers], LanePipeline]) -> None:
    on, _ = failing(concurrency=2)
    pipeline = lanes(on)
    cannot_be_decoded(pipeline)
    pipeline.later(SOON)
    goes_on(pipeline)


def execution_of(pipeline: Pipeline) -> Execution:
    (group,) = pipeline.application.groups.values()
    clock = pipeline.clock
    return Execution(
        group,
        Database(pipeline.engine),
        settings=ListenSettings(),
        policy=RetryPolicy(),
        clock=clock,
        timer=clock,
    )


def test_claimed_by_an_operator(play: Play) -> None:
    on, _ = failing()
    pipeline = play(on)
    cannot_be_decoded(pipeline)
    execution = execution_of(pipeline)
    force = Force(execution, Reader(execution.group), Pacing(1))
    assert force.apply(pipeline.rows("parked", "id")[:1], Filter(app="shop")).dead == 1
    pipeline.run()
    goes_on(pipeline)


def test_claimed_inline(play: Play) -> None:
    on, _ = failing()
    pipeline = play(on)
    cannot_be_decoded(pipeline)
    pipeline.clock.now += SOON
    execution = execution_of(pipeline)
    execution.pauses.look()
    since = pipeline.clock.now
    with pipeline.engine.begin() as db:  # it was released by what was announced
        db.execute(update(parked).where(parked.c.due_at.is_not(None)).values(due_at=at_once(since)))
    claim = InlineClaim(execution.group, Reader(execution.group), 1, execution.pauses, since)
    assert [execution.handle(claim).done for _ in range(3)] == [0, 1, 1]
    goes_on(pipeline)
