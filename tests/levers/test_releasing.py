"""Releasing what is parked: checked again at once, or run as if everything were met."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.stage import Opened, Placed, Viewed, note
from levers.bench import Bench, Failing
from levers.conftest import Benched
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


def states(one: Bench) -> list[str]:
    return [state for _, _, state in one.parked()]


def test_an_unmet_share_is_checked_and_waits_again(bench: Benched) -> None:
    one = bench(visits(Failing()))
    one.stage.handle(*viewed(1, 2))
    tally = one.release()
    assert (tally.chosen, tally.done, tally.behind) == (2, 1, 1)
    assert states(one) == ["due", "behind"]
    one.stage.run()
    assert states(one) == ["waiting", "behind"]
    one.stage.handle(Opened())
    assert one.stage.effects("view") == [1, 2]


def test_a_pair_that_is_met_by_other_means_lets_it_run(bench: Benched) -> None:
    one = bench(visits(Failing()))
    one.stage.handle(*viewed(1))
    with one.stage.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_prerequisite SET met_at = 1")
    one.stage.later(100.0)
    assert states(one) == ["waiting"]
    one.release()
    one.stage.run()
    assert one.stage.effects("view") == [1]


def test_a_failing_share_need_not_wait_for_its_time(bench: Benched) -> None:
    failing = Failing()
    one = bench(visits(failing))
    failing.tell("open_", 0)
    one.stage.handle(Opened())
    failing.mend()
    one.stage.run()
    assert one.stage.effects() == []
    one.release(reason="due", error="as told")
    one.stage.run()
    assert one.stage.effects() == [0]


def test_a_handler_that_is_gone_is_left(bench: Benched) -> None:
    one = bench(visits(Failing()))
    one.stage.handle(*viewed(1))
    with one.stage.engine.begin() as db:
        db.exec_driver_sql("UPDATE oyez_parked SET handler = 'old'")
    assert (one.release().gone, states(one)) == (1, ["waiting"])
    assert (one.force().gone, states(one)) == (1, ["waiting"])


def test_by_force_in_order_and_nothing_but_what_was_chosen(bench: Benched) -> None:
    one = bench(visits(Failing()))
    one.stage.handle(*viewed(1, 2, 3), *viewed(4, 5, subject="s2"))
    tally = one.force(events=tuple(one.event("view", n) for n in (1, 2, 5)))
    assert (tally.chosen, tally.done, tally.behind) == (3, 2, 1)
    assert one.stage.effects() == [1, 2]
    one.stage.run()
    assert [(n, state) for _, n, state in one.parked()] == [(3, "waiting"), (4, "waiting"), (5, "behind")]
    assert one.met() == []


def test_by_force_each_share_is_tried_once(bench: Benched) -> None:
    failing = Failing()
    one = bench(visits(failing))
    failing.tell("view", 2)
    one.stage.handle(*viewed(1, 2, 3))
    tally = one.force()
    assert (tally.chosen, tally.done, tally.again, tally.behind, tally.dead) == (3, 1, 1, 1, 0)
    assert one.stage.rows("parked", "attempts") == [1, 0]
    assert one.stage.effects() == [1]


def test_by_force_a_thousand_of_one_key(bench: Benched) -> None:
    one = bench(visits(Failing()))
    one.stage.handle(*viewed(*range(1200)))
    assert one.force().done == 1200
    assert one.stage.effects() == list(range(1200))


def test_by_force_it_meets_what_it_completes(bench: Benched) -> None:
    on = Handlers("shop")

    @on(Placed, group="all")
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    @on(Opened, group="all", requires={Opened: "k"})
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open_", event.n)

    one = bench(on)
    one.stage.handle(Opened(k="s1", s="s2", n=1), Opened(k="s2", s="s3", n=2))
    assert states(one) == ["waiting", "waiting"]
    tally = one.force(key="s1")
    assert (tally.done, tally.released) == (1, 1)
    one.stage.run()
    assert one.stage.effects() == [1, 2]
    assert one.met() == [("opened", "s2"), ("opened", "s3")]


def test_force_does_not_contradict_the_handler(bench: Benched) -> None:
    failing = Failing()
    one = bench(visits(failing))
    failing.tell("view", 1, error=NotReady(Opened, "s9"))
    one.stage.handle(*viewed(1))
    tally = one.force()
    assert (tally.done, tally.again) == (0, 1)
    assert one.stage.rows("parked", "wait_subject") == ["s9"]
