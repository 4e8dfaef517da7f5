"""Dead letters that are retried come back to where they were."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert

from consumers.stage import Opened, Placed, Viewed, note
from levers.bench import DEAD, Bench, Failing
from levers.conftest import Benched
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


def test_what_died_in_three_ways_comes_back_in_order(bench: Benched) -> None:
    """At once, after it was parked, and behind others that had died: each has a place from the beginning."""
    failing = Failing()
    shop_ = bench(shop(failing), max_attempts=2)
    failing.tell("place", 0, 3, 6, error=REJECT)
    failing.tell("place", 1, 4, 7)
    shop_.stage.handle(*placed(range(9)))
    for _ in range(4):
        shop_.stage.later()
    assert shop_.stage.effects() == [2, 5, 8]
    assert sorted(shop_.dead()) == [("place", n) for n in (0, 1, 3, 4, 6, 7)]
    failing.mend()
    assert shop_.retry().done == 6
    assert shop_.parked() == [("place", 0, "due"), *(("place", n, "behind") for n in (1, 3, 4, 6, 7))]
    shop_.stage.later()
    assert shop_.stage.effects() == [2, 5, 8, 0, 1, 3, 4, 6, 7]
    assert shop_.stage.is_clean()


@pytest.mark.parametrize("size", [1, 2, 500])
def test_every_key_in_order_whatever_the_size_of_a_step(bench: Benched, size: int) -> None:
    failing = Failing()
    one = bench(shop(failing))
    one.size = size
    failing.tell("place", *range(12), error=REJECT)
    one.stage.handle(*(Placed(k=f"k{n % 3}", n=n) for n in range(12)))
    failing.mend()
    assert one.retry().done == 12
    one.stage.run()
    for key in range(3):
        assert [n for n in one.stage.effects() if n % 3 == key] == list(range(key, 12, 3))


def test_the_dead_go_before_what_is_parked_behind_them(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    failing.tell("place", 2, 3)
    one.stage.handle(*placed(range(5)))
    assert one.parked() == [("place", 2, "due"), ("place", 3, "behind"), ("place", 4, "behind")]
    assert one.overtaken().parked == 2
    one.retry()
    assert one.parked()[:3] == [("place", 0, "due"), ("place", 1, "behind"), ("place", 2, "due")]
    failing.mend()
    one.stage.later()
    assert one.stage.effects() == [0, 1, 2, 3, 4]


def test_a_share_without_order_is_due_at_once(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing, "none"))
    failing.tell("place", 0, 1, error=REJECT)
    one.stage.handle(*placed(range(3)))
    assert one.overtaken() == one.overtaken(key="nobody's")
    one.retry()
    assert one.parked() == [("place", 0, "due"), ("place", 1, "due")]


def test_it_begins_with_its_first_attempt(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing), max_attempts=3)
    failing.tell("place", 0)
    one.stage.handle(*placed(range(1)))
    for _ in range(3):
        one.stage.later()
    assert one.dead() == [("place", 0)]
    one.retry()
    assert one.stage.rows("parked", "attempts", "starts", "wait_signal") == [(0, 0, None)]
    one.stage.run()
    assert one.stage.rows("parked", "attempts", "error")[0][0] == 1
    assert one.dead() == []


def test_it_dies_again_at_its_old_place(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    one.stage.handle(*placed(range(2)))
    places = one.stage.rows("dead", "parked_id")
    one.retry(events=(one.event("place", 0, "dead"),))
    one.stage.run()
    assert sorted(one.stage.rows("dead", "parked_id")) == places


def test_workers_between_two_steps_find_them_in_order(bench: Benched) -> None:
    """Whatever the order in which they died."""
    failing = Failing()
    one = bench(shop(failing))
    failing.tell("place", 0, 1, 2, error=REJECT)
    one.stage.handle(*placed(range(3)))
    one.retry(events=(one.event("place", 0, "dead"),))
    one.stage.run()
    assert one.dead() == [("place", n) for n in (1, 2, 0)]
    failing.mend()
    one.size = 1
    one.retry(on_step=lambda _count: one.stage.run())
    assert one.stage.effects() == [0, 1, 2]


def test_a_handler_that_is_gone_gets_nothing_back(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing))
    failing.tell("place", 0, 1, error=REJECT)
    one.stage.handle(*placed(range(2)))
    with one.stage.engine.begin() as db:
        db.execute(
            dead.update().where(dead.c.event_id == one.event("place", 0, "dead")).values(handler="old")
        )
    tally = one.retry()
    assert (tally.chosen, tally.done, tally.gone) == (2, 1, 1)
    assert one.dead() == [("old", 0)]


def test_what_is_parked_already_is_there_once(bench: Benched) -> None:
    """Without an inbox an event may die, be read again, and fail again."""
    failing = Failing()
    one = bench(shop(failing))
    failing.tell("place", 0)
    one.stage.handle(*placed(range(1)))
    kept = one.row("parked")
    letter = {name: value for name, value in kept.items() if name in DEAD.c and name != "id"}
    with one.stage.engine.begin() as db:
        db.execute(
            insert(dead), {**letter, "reason": "as told", "died_at": 1.0, "parked_id": kept["id"] + 100}
        )
    assert one.retry().done == 1
    assert [row[0] for row in one.parked()] == ["place"]
    assert one.dead() == []


def test_an_unmet_share_waits_again_for_its_pair(bench: Benched) -> None:
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    one = bench(on, max_age=100.0)
    one.stage.handle(*(Viewed(n=n) for n in range(3)))
    one.stage.later()
    one.stage.later()
    assert one.dead() == [("view", n) for n in range(3)]
    assert one.retry().done == 3
    one.stage.run()
    assert [state for _, _, state in one.parked()] == ["waiting", "behind", "behind"]
    one.stage.handle(Opened(k="other", n=9))
    assert one.stage.effects("view") == [0, 1, 2]
    assert one.stage.is_clean()


def test_steps_are_counted(bench: Benched) -> None:
    failing = Failing()
    one = bench(shop(failing))
    one.size = 2
    failing.tell("place", *range(5), error=REJECT)
    one.stage.handle(*placed(range(5)))
    assert isinstance(one, Bench)
    assert one.retry(reason="rejected").chosen == 5
    assert one.retry(reason="rejected").chosen == 0
