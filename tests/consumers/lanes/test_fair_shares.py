"""What has failed before has a share of the lanes as long as others wait, and all of them when nobody does."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.lanes.choosing import Choosing
from oyez.consumers.lanes.unit import Busy, Room
from support.waiting import eventually

FAILED = 10


@pytest.fixture
def failed(many: Play) -> Pipeline:
    """A pipeline in which ten events of a key each have failed, and are due again."""
    on = Handlers("shop")

    @on(Placed, concurrency=10)
    def noted(event: Placed, db: Session) -> None:
        raise ValueError("broken")

    pipeline = many(on)
    pipeline.handle(*[Placed(k=f"failed-{n}", n=n) for n in range(FAILED)])
    pipeline.clock.now += 10.0
    return pipeline


def choosing(pipeline: Pipeline) -> Choosing:
    lanes: Any = pipeline.workers["shop.placed"]._lanes
    (dispatcher,) = lanes._dispatchers
    found: Choosing = dispatcher.choosing
    return found


def arrive(pipeline: Pipeline, count: int) -> None:
    """So many events arrive, and wait for a lane."""
    pipeline.announce(*[Placed(k=f"fresh-{n}", n=100 + n) for n in range(count)])
    eventually(lambda: pipeline.workers["shop.placed"].step() == count)


def test_a_share_while_others_wait(failed: Pipeline) -> None:
    arrive(failed, 20)
    units = choosing(failed).choose(Busy(), Room(10, 1, failing=3)).units
    assert [unit.is_failing for unit in units].count(True) == 3
    assert len(units) == 10


def test_the_rest_where_few_others_wait(failed: Pipeline) -> None:
    arrive(failed, 4)
    units = choosing(failed).choose(Busy(), Room(10, 1, failing=3)).units
    assert [unit.is_failing for unit in units].count(True) == 6
    assert len({one for unit in units for one in unit.ids}) == 10


def test_all_where_nobody_else_waits(failed: Pipeline) -> None:
    units = choosing(failed).choose(Busy(), Room(10, 1, failing=3)).units
    assert [unit.is_failing for unit in units] == [True] * FAILED


def test_none_more_while_the_share_is_taken(failed: Pipeline) -> None:
    arrive(failed, 20)
    units = choosing(failed).choose(Busy(), Room(10, 1, failing=0)).units
    assert [unit.is_failing for unit in units] == [False] * 10
