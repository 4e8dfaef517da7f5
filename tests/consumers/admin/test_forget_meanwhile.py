"""What moves on between being found and being forgotten."""

from __future__ import annotations

from sqlalchemy import delete

from consumers.admin.test_forget import NOTHING, forgotten, found, full, person
from consumers.pipeline import Pipeline
from oyez.consumers.admin.forget import Forgetting
from oyez.consumers.database import Database
from oyez.consumers.database.scheduled import release
from oyez.consumers.database.tables import outbox

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
