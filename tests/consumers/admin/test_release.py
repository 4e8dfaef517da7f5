"""Releasing what is parked: checked again at once, or run as if everything were met."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.admin.admin_pipeline import Failing, Operator
from consumers.admin.conftest import OperatorPipeline
from consumers.pipeline import Opened, Placed, Viewed, note
from oyez.consumers import Handlers, NotReady


def visits(failing: Failing) -> Handlers:
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        failing("open_", event.n)
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        failing("view", event.n)
        note(db, "view", event.n)

    return on


def viewed(*numbers: int, subject: str = "s1") -> list[Viewed]:
    return [Viewed(k=subject, s=subject, n=n) for n in numbers]


def states(one: Operator) -> list[str]:
    return [state for _, _, state in one.parked()]


def test_an_unmet_delivery_is_checked_and_waits_again(operator: OperatorPipeline) -> None:
    one = operator(visits(Failing()))
    one.pipeline.handle(*viewed(1, 2))
    tally = one.release()
    assert (tally.chosen, tally.done, tally.behind) == (2, 1, 1)
    assert states(one) == ["due", "behind"]
    one.pipeline.run()
    assert states(one) == ["waiting", "behind"]
    one.pipeline.handle(Opened())
    assert one.pipeline.effects("view") == [1, 2]


def test_a_prerequisite_that_is_met_by_other_means_lets_it_run(operator: OperatorPipeline) -> None:
    one = operator(visits(Failing()))
    one.pipeline.handle(*viewed(1))
    with one.pipeline.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_prerequisite SET met_at = 1")
    one.pipeline.later(100.0)
    assert states(one) == ["waiting"]
    one.release()
    one.pipeline.run()
    assert one.pipeline.effects("view") == [1]


def test_a_failing_delivery_need_not_wait_for_its_time(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("open_", 0)
    one.pipeline.handle(Opened())
    failing.repair()
    one.pipeline.run()
    assert one.pipeline.effects() == []
    one.release(reason="due", error="as told")
    one.pipeline.run()
    assert one.pipeline.effects() == [0]


def test_an_unregistered_handler_is_left(operator: OperatorPipeline) -> None:
    one = operator(visits(Failing()))
    one.pipeline.handle(*viewed(1))
    with one.pipeline.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_parked SET handler = 'old'")
    assert (one.release().unregistered, states(one)) == (1, ["waiting"])
    assert (one.force().unregistered, states(one)) == (1, ["waiting"])


def test_by_force_in_order_and_nothing_but_what_was_chosen(operator: OperatorPipeline) -> None:
    one = operator(visits(Failing()))
    one.pipeline.handle(*viewed(1, 2, 3), *viewed(4, 5, subject="s2"))
    tally = one.force(events=tuple(one.event("view", n) for n in (1, 2, 5)))
    assert (tally.chosen, tally.done, tally.behind) == (3, 2, 1)
    assert one.pipeline.effects() == [1, 2]
    one.pipeline.run()
    assert [(n, state) for _, n, state in one.parked()] == [(3, "waiting"), (4, "waiting"), (5, "behind")]
    assert one.met() == []


def test_by_force_each_delivery_is_tried_once(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("view", 2)
    one.pipeline.handle(*viewed(1, 2, 3))
    tally = one.force()
    assert (tally.chosen, tally.done, tally.again, tally.behind, tally.dead) == (3, 1, 1, 1, 0)
    assert one.pipeline.rows("parked", "attempts") == [1, 0]
    assert one.pipeline.effects() == [1]


def test_by_force_a_thousand_of_one_key(operator: OperatorPipeline) -> None:
    one = operator(visits(Failing()))
    one.pipeline.handle(*viewed(*range(1200)))
    assert one.force().done == 1200
    assert one.pipeline.effects() == list(range(1200))


def test_by_force_it_meets_what_it_completes(operator: OperatorPipeline) -> None:
    on = Handlers("shop")

    @on(Placed, group="all")
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    @on(Opened, group="all", requires={Opened: "k"})
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open_", event.n)

    one = operator(on)
    one.pipeline.handle(Opened(k="s1", s="s2", n=1), Opened(k="s2", s="s3", n=2))
    assert states(one) == ["waiting", "waiting"]
    tally = one.force(key="s1")
    assert (tally.done, tally.released) == (1, 1)
    one.pipeline.run()
    assert one.pipeline.effects() == [1, 2]
    assert one.met() == [("opened", "s2"), ("opened", "s3")]


def test_force_does_not_contradict_the_handler(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(visits(failing))
    failing.tell("view", 1, error=NotReady(Opened, "s9"))
    one.pipeline.handle(*viewed(1))
    tally = one.force()
    assert (tally.done, tally.again) == (0, 1)
    assert one.pipeline.rows("parked", "wait_subject") == ["s9"]


def test_what_there_was_no_time_for_is_run_all_the_same(operator: OperatorPipeline) -> None:
    """A forced run has the time of a batch; the rest is taken again, and nothing of it counts as given up."""
    failing, slow = Failing(), list[Operator]()
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        if slow:
            slow[0].pipeline.clock.now += 20.0
        note(db, "place", event.n)

    failing.tell("place", *range(4))
    one = operator(on)
    one.pipeline.handle(*(Placed(k=f"k{n}", n=n) for n in range(4)))
    failing.repair()
    slow.append(one)
    tally = one.force()
    assert (tally.chosen, tally.done, tally.dead) == (4, 4, 0)
    assert one.pipeline.effects("place") == [0, 1, 2, 3]
    assert one.pipeline.is_clean()
