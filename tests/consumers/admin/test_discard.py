"""Deliveries that are discarded: what is behind them goes on, and what waited for their event alone is released."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from consumers.admin.admin_pipeline import DEAD, PARKED, Failing
from consumers.admin.conftest import OperatorPipeline
from consumers.pipeline import Opened, Placed, Viewed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.database import releasing
from oyez.schemas.declaration import Prerequisite

REJECT = Reject("as told")
PREREQUISITE = Prerequisite("opened", "s1")


def visits(failing: Failing) -> Handlers:
    """Two handlers complete `Opened`, one does not."""
    on = Handlers("shop")

    @on(Opened, group="visits")
    def open_(event: Opened, db: Connection) -> None:
        failing("open_", event.n)
        note(db, "open_", event.n)

    @on(Opened, group="visits")
    def greet(event: Opened, db: Connection) -> None:
        failing("greet", event.n)
        note(db, "greet", event.n)

    @on(Opened, group="visits", completes=False)
    def award(event: Opened, db: Connection) -> None:
        failing("award", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    return on


def test_what_is_behind_goes_on(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("place", 0, 1)
    one.pipeline.handle(*(Placed(n=n) for n in range(4)))
    tally = one.discard(PARKED, events=(one.event("place", 0), one.event("place", 2)))
    assert (tally.chosen, tally.done, tally.met) == (2, 2, [])
    assert one.parked() == [("place", 1, "due"), ("place", 3, "behind")]
    failing.repair()
    one.pipeline.run()
    assert one.pipeline.effects() == [1, 3]


@pytest.mark.parametrize("error", [REJECT, ValueError("as told")], ids=["dead", "parked"])
def test_the_last_completing_delivery_meets_the_prerequisite(
    operator: OperatorPipeline, error: Exception
) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0, error=error)
    failing.tell("greet", 0, error=error)
    failing.tell("award", 0, error=error)
    one.pipeline.handle(Opened(), *(Viewed(k="v", n=n) for n in range(3)))
    table = DEAD if error is REJECT else PARKED
    assert one.discard(table, handler="open_").met == []
    assert one.met() == []
    tally = one.discard(table, handler="greet")
    assert (tally.met, tally.released) == ([PREREQUISITE], 1)
    assert one.met() == [PREREQUISITE]
    one.pipeline.run()
    assert one.pipeline.effects() == [0, 1, 2]


def test_what_died_waiting_is_parked_again(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0, error=REJECT)
    one.pipeline.handle(Opened(), *(Viewed(k="v", n=n) for n in range(2)))
    one.pipeline.later(100_000.0)
    assert one.dead() == [("open_", 0), ("view", 0), ("view", 1)]
    tally = one.discard(DEAD, handler="open_")
    assert (tally.met, tally.released, tally.revived) == ([PREREQUISITE], 0, 2)
    one.pipeline.run()
    assert one.pipeline.effects("view") == [0, 1]
    assert one.dead() == []


@pytest.mark.parametrize("most", [2, 5])
@pytest.mark.parametrize("dies", [False, True], ids=["parked", "dead"])
def test_more_may_wait_than_are_released_at_once(
    operator: OperatorPipeline, monkeypatch: pytest.MonkeyPatch, dies: bool, most: int
) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", most)
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0, error=REJECT)
    one.pipeline.handle(Opened(), *(Viewed(k=f"v{n}", n=n) for n in range(3)))
    if dies:
        one.pipeline.later(100_000.0)
    tally = one.discard(DEAD, handler="open_")
    assert (tally.released + tally.revived, tally.may_be_more) == (min(most, 3), most == 2)


def test_both_at_once(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0, error=REJECT)
    failing.tell("greet", 0, error=REJECT)
    one.pipeline.handle(Opened(), Viewed(k="v"))
    assert one.discard(DEAD).met == [PREREQUISITE]


def test_parked_and_dead_deliveries_of_one_event(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0, error=REJECT)
    failing.tell("greet", 0)
    one.pipeline.handle(Opened(), Viewed(k="v"))
    assert one.discard(DEAD).met == []
    failing.repair()
    one.pipeline.later()
    assert one.met() == [PREREQUISITE]
    assert one.pipeline.effects("view") == [0]


def test_a_delivery_that_completes_nothing_meets_nothing(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("award", 0, error=REJECT)
    failing.tell("greet", 0)
    one.pipeline.handle(Opened())
    assert one.discard(DEAD).met == []
    assert one.met() == []


def test_a_prerequisite_that_is_met_already_is_not_met_again(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 1, error=REJECT)
    one.pipeline.handle(Opened(n=0), Opened(n=1))
    assert one.met() == [PREREQUISITE]
    assert one.discard(DEAD).met == []


def test_an_unregistered_handler_stands_in_nobodys_way(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("greet", 0, error=REJECT)
    one.pipeline.handle(Opened(), Viewed(k="v"))
    with one.pipeline.engine.begin() as db:
        db.execute(update(DEAD).values(handler="old"))
    assert one.discard(DEAD, handler="old").met == [PREREQUISITE]
    one.pipeline.run()
    assert one.pipeline.effects("view") == [0]


def test_many_steps(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    one.size = 7
    failing.tell("greet", *range(40), error=REJECT)
    one.pipeline.handle(*(Opened(k=f"k{n}", s=f"s{n}", n=n) for n in range(40)))
    one.pipeline.handle(*(Viewed(k=f"k{n}", s=f"s{n}", n=n) for n in range(40)))
    tally = one.discard(DEAD)
    assert (tally.chosen, tally.done, len(tally.met), tally.released) == (40, 40, 40, 40)
    one.pipeline.run()
    assert sorted(one.pipeline.effects("view")) == list(range(40))
