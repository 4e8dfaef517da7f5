"""A run that is made again is the same again, whatever PostgreSQL does with the tables meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from consumers.interleavings.every_order import Act, EveryOrder
from consumers.interleavings.shop import empty, restore, save
from consumers.interleavings.test_released_beside_a_deploy import (
    BEFORE,
    deploy,
    release,
    small_steps,
    wait_and_begin,
)
from support.stepping import Step, SteppedDatabase

__all__ = ["small_steps"]

Run = list[tuple[str, str, bool]]


def test_a_run_is_the_same_wherever_the_rows_lie(stepped_database: SteppedDatabase) -> None:
    """A deploy takes any two rows that wait: which ones, and so whom it meets, must not change from run to run. But
    rows that are put back lie where there is room, and autovacuum makes room and counts rows at any moment."""
    every_order = EveryOrder(stepped_database, BEFORE)
    shop = every_order.shop()
    acts: dict[str, Act] = {"deploy": deploy, "release": release}

    def played() -> Run:
        return [(one.actor, one.what, waited) for one, waited in every_order.play(acts, _commits_last)]

    empty(shop.engine)
    wait_and_begin(shop)
    save(shop.engine)
    before = played()
    assert [what for _, what, waited in before if waited], "they do not meet"
    for order in ("id", "id DESC"):
        restore(shop.engine)
        with shop.engine.begin() as db:
            db.execute(text("DELETE FROM oyez_parked"))
            db.execute(text(f"INSERT INTO oyez_parked SELECT * FROM saved_oyez_parked ORDER BY {order}"))
        stepped_database.tidy()
        assert played() == before


def _commits_last(possible: Sequence[Step]) -> Step:
    """The deploy has its rows, and the other one comes for its own, before either commits."""
    return min(possible, key=lambda step: (step.ends, step.actor == "release"))
