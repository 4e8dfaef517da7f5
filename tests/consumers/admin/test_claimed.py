"""What a worker runs at this moment is left alone, and so is its key, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from consumers.admin.admin_pipeline import DEAD, PARKED, Failing, Operator
from consumers.pipeline import Pipeline, Placed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.admin import Discard, Pacing, Retry, Steps
from oyez.consumers.database import Database, claims
from oyez.consumers.database.delivery_filter import Filter


@pytest.fixture
def one(pipeline_postgres: str) -> Iterator[Operator]:
    """Of one key, one delivery died and one failed; another failed of another key."""
    failing = Failing()
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    failing.tell("place", 0, 1, error=Reject("as told"))
    failing.tell("place", 2, 3)
    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(Placed(k="a", n=0), Placed(k="b", n=1), Placed(k="a", n=2), Placed(k="b", n=3))
    failing.repair()
    with pipeline.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_parked SET due_at = due_at - 100 WHERE key = 'a'")
    yield Operator(pipeline)
    pipeline.close()


def claim(one: Operator, db: Connection) -> None:
    """Claim one delivery as a worker would, and hold it."""
    rows = claims.claim(db, "shop", "shop.placed", ["place"], one.pipeline.clock.now + 10.0, 1)
    assert [row.key_text for row in rows] == ["a"]


def test_nothing_is_put_before_it(one: Operator) -> None:
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        tally = one.retry()
    assert (tally.done, tally.busy) == (1, 1)
    assert one.dead() == [("place", 0)]
    assert one.retry().done == 1
    one.pipeline.later()
    assert [n for n in one.pipeline.effects() if n in (0, 2)] == [0, 2]
    assert [n for n in one.pipeline.effects() if n in (1, 3)] == [1, 3]


def test_nor_are_later_ones_of_its_key(one: Operator) -> None:
    """Even if the key is free again when it is their turn."""
    with one.pipeline.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_dead SET key = 'a'")
    steps = Steps(Database(one.pipeline.engine), Pacing(1), timeout=-1.0)
    operation, wanted = Retry(one.pipeline.application, one.pipeline.clock), Filter(app="shop")
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        tally = steps.apply(operation, steps.choose(DEAD, wanted), wanted, lambda _count: db.rollback())
    assert (tally.done, tally.busy) == (0, 2)
    assert one.retry().done == 2


def test_what_is_free_again_is_done_in_the_end(one: Operator) -> None:
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        steps = Steps(Database(one.pipeline.engine), timeout=5.0, sleep=lambda _seconds: db.rollback())
        wanted = Filter(app="shop")
        operation = Discard(one.pipeline.application, PARKED, one.pipeline.clock)
        tally = steps.apply(operation, steps.choose(PARKED, wanted), wanted)
    assert (tally.done, tally.busy) == (2, 0)


def test_it_is_not_discarded(one: Operator) -> None:
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        tally = one.discard(PARKED)
        assert (tally.done, tally.busy) == (1, 1)
        assert one.discard(DEAD).done == 2
    assert one.discard(PARKED).done == 1


def test_it_is_not_released(one: Operator) -> None:
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        tally = one.release()
        assert (tally.done, tally.busy) == (1, 1)


def test_it_is_not_forced(one: Operator) -> None:
    with one.pipeline.engine.connect() as db:
        claim(one, db)
        tally = one.force()
        assert (tally.done, tally.busy) == (1, 1)
    assert one.pipeline.effects() == [3]
