"""What operators do, they do to the deliveries that were counted before they agreed, and to no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, update

from consumers.pipeline import Opened, Pipeline, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Steps, Tally
from oyez.consumers.database import Database
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.tables import parked
from oyez.consumers.run.delivery_actions import FORCE, Chosen

WANTED = Filter(app="shop")


def viewing() -> Handlers:
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Connection) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


@pytest.fixture
def count(play: Play) -> Callable[[], tuple[Pipeline, Callable[[], Tally]]]:
    """Two deliveries are parked, and counted; what runs them by force comes with the pipeline."""

    def counted() -> tuple[Pipeline, Callable[[], Tally]]:
        pipeline = play(viewing())
        pipeline.handle(Viewed(k="k1", n=1), Viewed(k="k2", n=2))
        steps = Steps(Database(pipeline.engine))
        chosen = Chosen(
            pipeline.application,
            pipeline._settings,
            pipeline.engine,
            steps,
            WANTED,
            steps.choose(parked, WANTED),
            pipeline.clock,
        )
        return pipeline, lambda: FORCE.work(chosen, lambda _count: None)

    return counted


Count = Callable[[], tuple[Pipeline, Callable[[], Tally]]]


def test_what_is_parked_later_is_not_run_by_force(count: Count) -> None:
    pipeline, force = count()
    pipeline.handle(Viewed(k="k1", n=3), Viewed(k="k3", n=4))
    tally = force()
    assert sorted(pipeline.effects()) == [1, 2]
    assert (tally.chosen, tally.done, tally.unregistered) == (2, 2, 0)
    assert sorted(n for _, n, _ in pipeline.parked()) == [3, 4]


def test_what_has_gone_meanwhile_is_no_unregistered_one(count: Count) -> None:
    pipeline, force = count()
    with pipeline.engine.begin() as db:
        db.execute(delete(parked).where(parked.c.key == "k2"))
    tally = force()
    assert pipeline.effects() == [1]
    assert (tally.done, tally.unregistered) == (1, 0)


def test_what_is_of_a_group_that_the_application_does_not_have_is_left(count: Count) -> None:
    pipeline, force = count()
    with pipeline.engine.begin() as db:
        db.execute(update(parked).where(parked.c.key == "k2").values(group_name="shop.gone"))
    pipeline.handle(Viewed(k="k3", n=4))
    tally = force()
    assert pipeline.effects() == [1]
    assert (tally.chosen, tally.done, tally.unregistered) == (1, 1, 1)
