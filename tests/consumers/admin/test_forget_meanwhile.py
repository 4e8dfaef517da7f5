"""What moves on between being found and being forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, delete, insert

from consumers.admin.test_forget import NOTHING, forgotten, found, full, person, viewing
from consumers.pipeline import Opened, Pipeline, Play, Viewed, unique
from oyez.consumers.admin import Discard, Retry, Steps, still_required
from oyez.consumers.admin.forget import Forgetting
from oyez.consumers.admin.forget_spool import Removed
from oyez.consumers.core.record import Record
from oyez.consumers.database import Database
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.scheduled import release
from oyez.consumers.database.tables import outbox, parked
from oyez.consumers.execution.reader import Reader, Taken

__all__ = ["full"]


def test_what_becomes_due_before_it_is_forgotten_is_not_said_to_be_gone(full: Pipeline) -> None:
    who, database = person(full, "anna"), Database(full.engine)
    before = found(full, who)
    database.repeat(lambda db: release(db, full.clock.now + 2_000_000.0, 10))
    forgetting = Forgetting(full.application, database, who, NOTHING, full.clock)
    first = {one.where: one for one in forgetting.run(before)}["scheduled"]
    assert (first.found, first.left, first.is_for_now) == (1, 1, True)
    assert forgotten(full, "anna")["outbox"].removed == 1


def test_what_leaves_the_outbox_before_it_is_forgotten_is_not_said_to_be_gone(full: Pipeline) -> None:
    who, database = person(full, "anna"), Database(full.engine)
    before = found(full, who)
    with full.engine.begin() as db:
        db.execute(delete(outbox))
    forgetting = Forgetting(full.application, database, who, NOTHING, full.clock)
    done = {one.where: one for one in forgetting.run(before)}["outbox"]
    assert (done.found, done.left, done.is_for_now) == (1, 1, True)


class Meanwhile(Database):
    """A database in which something happens as soon as somebody has read in it."""

    def __init__(self, engine: Engine, then: Callable[[], object]) -> None:
        super().__init__(engine)
        self._then = then

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with super().reading() as db:
            yield db
        self._then()


def prerequisites_forgotten(pipeline: Pipeline, database: Database) -> Removed:
    there = found(pipeline, person(pipeline, "anna"))
    forgetting = Forgetting(pipeline.application, database, person(pipeline, "anna"), NOTHING, pipeline.clock)
    return {one.where: one for one in forgetting.run(there)}["prerequisites"]


def test_writers_do_not_wait_while_deliveries_are_decoded(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time; there may be millions of deliveries to decode."""
    pipeline = play(viewing({5, 6}), max_attempts=2)
    pipeline.handle(Opened(k="anna", s="anna"), Viewed(k="b", s="anna", n=5), Viewed(k="c", s="anna", n=6))
    pipeline.later(100.0)
    pipeline.handle(Opened(k="anna", s="anna"), Viewed(k="d", s="anna", n=5))
    assert (len(pipeline.rows("dead", "id")), len(pipeline.rows("parked", "id"))) == (2, 1)
    decoded: list[str] = []

    class Slow(Reader):
        def read(self, record: Record) -> Taken | None:
            with pipeline.engine.begin() as db:
                db.execute(insert(unique).values(n=len(decoded)))
            taken = super().read(record)
            decoded.append("" if taken is None else taken.id)
            return taken

    monkeypatch.setattr(still_required, "Reader", Slow)
    done = prerequisites_forgotten(pipeline, Database(pipeline.engine))
    assert (done.removed, done.is_for_now) == (0, True)
    assert len(decoded) == len({*decoded}) == 3


def test_what_is_parked_while_deliveries_are_decoded_keeps_what_it_requires(play: Play) -> None:
    broken = {5}
    pipeline = play(viewing(broken))
    pipeline.handle(Opened(k="anna", s="anna"))
    late = Meanwhile(pipeline.engine, lambda: pipeline.handle(Viewed(k="bert", s="anna", n=5)))
    done = prerequisites_forgotten(pipeline, late)
    assert (done.removed, done.is_for_now) == (0, True)
    broken.clear()
    pipeline.replace("shop.viewed")  # a worker that has seen nothing met
    pipeline.later(100.0)
    assert pipeline.effects("view") == [5]


def test_what_is_parked_again_while_deliveries_are_decoded_counts_as_parked(play: Play) -> None:
    """It has the id that it had, which is lower than others that were read."""
    pipeline = play(viewing({5, 6}), max_attempts=2)
    pipeline.handle(Opened(k="anna", s="anna"), Viewed(k="bert", s="anna", n=5))
    pipeline.later(100.0)
    pipeline.handle(Opened(k="carl", s="carl"), Viewed(k="carl", s="carl", n=6))
    (letter,) = pipeline.rows("dead", "id")
    steps = Steps(Database(pipeline.engine))
    retry = Retry(pipeline.application, pipeline.clock)
    late = Meanwhile(pipeline.engine, lambda: steps.apply(retry, [letter], Filter(app="shop")))
    done = prerequisites_forgotten(pipeline, late)
    assert min(pipeline.rows("parked", "id")) < max(pipeline.rows("parked", "id"))
    assert (done.removed, done.is_for_now) == (0, True)


def test_what_has_ended_while_deliveries_were_decoded_keeps_nothing(play: Play) -> None:
    pipeline = play(viewing({5}))
    pipeline.handle(Opened(k="anna", s="anna"), Viewed(k="bert", s="anna", n=5))
    steps = Steps(Database(pipeline.engine))
    discard = Discard(pipeline.application, parked, pipeline.clock)
    ids = pipeline.rows("parked", "id")
    late = Meanwhile(pipeline.engine, lambda: steps.apply(discard, ids, Filter(app="shop")))
    done = prerequisites_forgotten(pipeline, late)
    assert (done.found, done.removed, done.left) == (1, 1, 0)
