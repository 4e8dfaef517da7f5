"""Before dead letters are retried: what newer events of their keys have gone on in the meantime?"""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from consumers.admin.admin_pipeline import Failing, Operator
from consumers.admin.conftest import OperatorPipeline
from consumers.pipeline import Placed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.admin import Overtaken, overtaking

REJECT = Reject("as told")


def without_times(one: Operator) -> None:
    """All ids are another producer's."""
    for table in ("dead", "inbox"):
        with one.pipeline.engine.begin() as db:
            db.execute(text(f"UPDATE oyez_{table} SET event_id = 'z' || event_id"))


@pytest.fixture
def one(operator: OperatorPipeline) -> Operator:
    """The first three events of a key died."""
    failing = Failing()
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    failing.tell("place", 0, 1, 2, error=REJECT)
    failing.tell("place", 5)
    made = operator(on)
    made.pipeline.handle(*(Placed(n=n) for n in range(3)))
    return made


def test_nothing_came_after_them(one: Operator) -> None:
    """They came after one another, but they are put back in order."""
    assert one.overtaken() == Overtaken(parked=0, handled=0)


def test_some_came_after_them(one: Operator) -> None:
    one.pipeline.handle(Placed(n=3))
    assert one.overtaken() == Overtaken(parked=0, handled=3)
    assert one.overtaken(events=(one.event("place", 0, "dead"),)) == Overtaken(parked=0, handled=1)


def test_only_those_before_what_was_handled(one: Operator) -> None:
    one.pipeline.handle(Placed(n=3))
    with one.pipeline.engine.begin() as db:
        last = one.event("place", 2, "dead")
        db.execute(
            text("UPDATE oyez_dead SET event_id = 'f' || event_id WHERE event_id = :last"), {"last": last}
        )
        db.execute(
            text("UPDATE oyez_inbox SET event_id = 'f' || event_id WHERE event_id = :last"), {"last": last}
        )
    assert one.overtaken() == Overtaken(parked=0, handled=2)


def test_some_are_parked_after_them(one: Operator) -> None:
    one.pipeline.handle(Placed(n=5), Placed(n=6))
    assert one.overtaken() == Overtaken(parked=3, handled=0)


def test_another_source_has_another_order(one: Operator) -> None:
    one.pipeline.handle(Placed(n=3))
    with one.pipeline.engine.begin() as db:
        db.execute(text("UPDATE oyez_dead SET source = 'web-9'"))
        db.execute(
            text("UPDATE oyez_inbox SET source = 'web-9' WHERE event_id IN (SELECT event_id FROM oyez_dead)")
        )
    assert one.overtaken() == Overtaken(parked=0, handled=0)


def test_ids_that_say_nothing_of_their_time(one: Operator) -> None:
    """Another producer's: then it counts when they were taken."""
    without_times(one)
    assert one.overtaken() == Overtaken(parked=0, handled=0)
    one.pipeline.handle(Placed(n=3))
    assert one.overtaken() == Overtaken(parked=0, handled=3)


def test_what_would_take_long_to_find_out_is_not_known(
    one: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ids say nothing of their time, all that was taken of the source would have to be read."""
    monkeypatch.setattr(overtaking, "LOOK", 4)
    without_times(one)
    one.pipeline.handle(Placed(n=3))
    assert one.overtaken() == Overtaken(parked=0, handled=3, unknown=0)
    one.pipeline.handle(Placed(n=4))
    assert one.overtaken() == Overtaken(parked=0, handled=0, unknown=3)


def test_so_it_is_where_the_newest_are_all_dead(one: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaking, "LOOK", 2)
    assert one.overtaken() == Overtaken(parked=0, handled=0, unknown=3)
    one.pipeline.handle(Placed(n=3))
    assert one.overtaken() == Overtaken(parked=0, handled=3, unknown=0)
