"""Dead letters that are retried come back to where they were."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert

from consumers.admin.admin_pipeline import DEAD, Failing, Operator
from consumers.admin.conftest import OperatorPipeline
from consumers.pipeline import Opened, Placed, Viewed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.database.tables import dead

REJECT = Reject("as told")


def shop(failing: Failing, order: str | None = None) -> Handlers:
    on = Handlers("shop")

    @on(Placed, order=order)  # type: ignore[arg-type] # it is parametrized
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    return on


def placed(numbers: range, key: str = "k1") -> list[Placed]:
    return [Placed(k=key, n=n) for n in numbers]


def test_what_died_in_three_ways_comes_back_in_order(operator: OperatorPipeline) -> None:
    """At once, after it was parked, and behind others that had died: each has a place from the beginning."""
    failing = Failing()
    shop_ = operator(shop(failing), max_attempts=2)
    failing.tell("place", 0, 3, 6, error=REJECT)
    failing.tell("place", 1, 4, 7)
    shop_.pipeline.handle(*placed(range(9)))
    for _ in range(4):
        shop_.pipeline.later()
    assert shop_.pipeline.effects() == [2, 5, 8]
    assert sorted(shop_.dead()) == [("place", n) for n in (0, 1, 3, 4, 6, 7)]
    failing.repair()
    assert shop_.retry().done == 6
    assert shop_.parked() == [("place", 0, "due"), *(("place", n, "behind") for n in (1, 3, 4, 6, 7))]
    shop_.pipeline.later()
    assert shop_.pipeline.effects() == [2, 5, 8, 0, 1, 3, 4, 6, 7]
    assert shop_.pipeline.is_clean()


@pytest.mark.parametrize("size", [1, 2, 500])
def test_every_key_in_order_whatever_the_size_of_a_step(operator: OperatorPipeline, size: int) -> None:
    failing = Failing()
    one = operator(shop(failing))
    one.size = size
    failing.tell("place", *range(12), error=REJECT)
    one.pipeline.handle(*(Placed(k=f"k{n % 3}", n=n) for n in range(12)))
    failing.repair()
    assert one.retry().done == 12
    one.pipeline.run()
    for key in range(3):
        assert [n for n in one.pipeline.effects() if n % 3 == key] == list(range(key, 12, 3))


def test_the_dead_go_before_what_is_parked_behind_them(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    failing.tell("place", 2, 3)
    one.pipeline.handle(*placed(range(5)))
    assert one.parked() == [("place", 2, "due"), ("place", 3, "behind"), ("place", 4, "behind")]
    assert one.overtaken().parked == 2
    one.retry()
    assert one.parked()[:3] == [("place", 0, "due"), ("place", 1, "behind"), ("place", 2, "due")]
    failing.repair()
    one.pipeline.later()
    assert one.pipeline.effects() == [0, 1, 2, 3, 4]


def test_a_delivery_without_order_is_due_at_once(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing, "none"))
    failing.tell("place", 0, 1, error=REJECT)
    one.pipeline.handle(*placed(range(3)))
    assert one.overtaken() == one.overtaken(key="nobody's")
    one.retry()
    assert one.parked() == [("place", 0, "due"), ("place", 1, "due")]


def test_it_begins_with_its_first_attempt(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing), max_attempts=3)
    failing.tell("place", 0)
    one.pipeline.handle(*placed(range(1)))
    for _ in range(3):
        one.pipeline.later()
    assert one.dead() == [("place", 0)]
    one.retry()
    assert one.pipeline.rows("parked", "attempts", "starts", "wait_signal") == [(0, 0, None)]
    one.pipeline.run()
    assert one.pipeline.rows("parked", "attempts", "error")[0][0] == 1
    assert one.dead() == []


def test_it_dies_again_at_its_old_place(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    one.pipeline.handle(*placed(range(2)))
    places = one.pipeline.rows("dead", "parked_id")
    one.retry(events=(one.event("place", 0, "dead"),))
    one.pipeline.run()
    assert sorted(one.pipeline.rows("dead", "parked_id")) == places


def test_workers_between_two_steps_find_them_in_order(operator: OperatorPipeline) -> None:
    """Whatever the order in which they died."""
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0, 1, 2, error=REJECT)
    one.pipeline.handle(*placed(range(3)))
    one.retry(events=(one.event("place", 0, "dead"),))
    one.pipeline.run()
    assert one.dead() == [("place", n) for n in (1, 2, 0)]
    failing.repair()
    one.size = 1
    one.retry(on_step=lambda _count: one.pipeline.run())
    assert one.pipeline.effects() == [0, 1, 2]


def test_an_unregistered_handler_gets_nothing_back(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    one.pipeline.handle(*placed(range(2)))
    with one.pipeline.engine.begin() as db:
        db.execute(
            dead.update().where(dead.c.event_id == one.event("place", 0, "dead")).values(handler="old")
        )
    tally = one.retry()
    assert (tally.chosen, tally.done, tally.unregistered) == (2, 1, 1)
    assert one.dead() == [("old", 0)]


def test_what_is_parked_already_is_there_once(operator: OperatorPipeline) -> None:
    """Without an inbox an event may die, be read again, and fail again."""
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0)
    one.pipeline.handle(*placed(range(1)))
    kept = one.row("parked")
    letter = {name: value for name, value in kept.items() if name in DEAD.c and name != "id"}
    with one.pipeline.engine.begin() as db:
        db.execute(
            insert(dead), {**letter, "reason": "as told", "died_at": 1.0, "parked_id": kept["id"] + 100}
        )
    assert one.retry().done == 1
    assert [row[0] for row in one.parked()] == ["place"]
    assert one.dead() == []


def test_an_unmet_delivery_waits_again_for_its_prerequisite(operator: OperatorPipeline) -> None:
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    one = operator(on, max_age=100.0)
    one.pipeline.handle(*(Viewed(n=n) for n in range(3)))
    one.pipeline.later()
    one.pipeline.later()
    assert one.dead() == [("view", n) for n in range(3)]
    assert one.retry().done == 3
    one.pipeline.run()
    assert [state for _, _, state in one.parked()] == ["waiting", "behind", "behind"]
    one.pipeline.handle(Opened(k="other", n=9))
    assert one.pipeline.effects("view") == [0, 1, 2]
    assert one.pipeline.is_clean()


def test_steps_are_counted(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    one.size = 2
    failing.tell("place", *range(5), error=REJECT)
    one.pipeline.handle(*placed(range(5)))
    assert isinstance(one, Operator)
    assert one.retry(reason="rejected").chosen == 5
    assert one.retry(reason="rejected").chosen == 0
