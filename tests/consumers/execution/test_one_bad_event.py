"""One bad event of a batch parks alone; everything else is done, once, in the same transaction."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from consumers.execution.one_bad import BAD, EVENTS, fail
from consumers.pipeline import Opened, Pipeline, Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.schemas import Event


def commits(pipeline: Pipeline) -> list[int]:
    """Counts the transactions that are committed from now on."""
    counted: list[int] = []
    listen(pipeline.engine, "commit", lambda _db: counted.append(1))
    return counted


def shop(outside: list[tuple[str, int]], **options: Any) -> Handlers:
    """Every kind of handler; those named ``bad_…`` fail for one event, after an effect."""
    on = Handlers("shop")

    @on(Placed, **options)
    def bad_session(event: Placed, db: Session) -> None:
        note(db, "bad_session", event.n)
        fail(event.n)

    @on(Placed, **options)
    def bad_batch(events: list[Event[Placed]], db: Connection) -> None:
        for event in events:
            note(db, "bad_batch", event.data.n)
            fail(event.data.n)

    @on(Placed, **options)
    def bad_outside(event: Placed) -> None:
        fail(event.n)
        outside.append(("bad_outside", event.n))

    @on(Placed, **options)
    def good_session(event: Event[Placed], db: Session) -> None:
        note(db, "good_session", event.data.n)

    @on(Placed, **options)
    def good_batch(events: list[Placed], db: Connection) -> None:
        note(db, "good_batch", *(event.n for event in events))

    @on(Placed, **options)
    def good_outside(event: Placed) -> None:
        outside.append(("good_outside", event.n))

    return on


@pytest.mark.parametrize("order", ["key", "none"])
def test_it_parks_alone(order: str, play: Play) -> None:
    outside: list[tuple[str, int]] = []
    pipeline = play(shop(outside, order=order))
    pipeline.run()
    counted = commits(pipeline)
    pipeline.announce(*placed(EVENTS))
    assert next(iter(pipeline.workers.values())).step() == len(EVENTS)
    others = [n for n in EVENTS if n != BAD]

    def done(handler: str) -> list[int]:
        return pipeline.effects(handler) + [n for name, n in outside if name == handler]

    for handler in ("good_session", "good_batch", "good_outside"):
        assert done(handler) == list(EVENTS), handler
    for handler in ("bad_session", "bad_batch", "bad_outside"):
        assert done(handler) == others, handler
    assert sorted((handler, n) for handler, n, _ in pipeline.parked()) == [
        ("bad_batch", BAD),
        ("bad_outside", BAD),
        ("bad_session", BAD),
    ]
    assert {error for _, _, error in pipeline.parked()} == {"ValueError: bad"}
    assert pipeline.rows("parked", "attempts") == [1, 1, 1]
    assert len(pipeline.rows("inbox")) == len(EVENTS)
    assert len(counted) == 1


def test_only_the_failed_ones_run_again(play: Play) -> None:
    healed = False
    ran: Counter[str] = Counter()
    on = Handlers("shop")

    @on(Placed)
    def failing(event: Placed, db: Session) -> None:
        ran["failing"] += 1
        note(db, "failing", event.n)
        if not healed:
            fail(event.n)

    @on(Placed)
    def outside(event: Placed) -> None:
        ran["outside"] += 1
        if not healed:
            fail(event.n)

    @on(Placed)
    def fine(event: Placed, db: Session) -> None:
        ran["fine"] += 1
        note(db, "fine", event.n)

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    assert len(pipeline.parked()) == 2
    ran.clear()
    healed = True
    pipeline.later()
    assert ran == {"failing": 1, "outside": 1}
    assert pipeline.is_clean()
    assert sorted(pipeline.effects("failing")) == sorted(pipeline.effects("fine")) == list(EVENTS)


def test_handlers_outside_run_once_though_the_batch_is_taken_again(play: Play) -> None:
    """They run last, when the others have succeeded; but what depends on the batch itself runs later still."""
    ran: Counter[tuple[str, int]] = Counter()
    order: list[str] = []
    on = Handlers("shop")

    @on(Opened, group="all")
    def outside(event: Opened) -> None:
        ran["outside", event.n] += 1
        order.append("outside")
        fail(event.n)

    @on(Opened, group="all")
    def inside(event: Opened, db: Session) -> None:
        order.append("inside")
        note(db, "inside", event.n)

    @on(Placed, group="all", requires={Opened: "k"}, order="none")
    def later(event: Placed, db: Session) -> None:
        order.append("later")
        note(db, "later", event.n)
        if event.n == 1:
            raise ValueError("the batch is taken again")

    pipeline = play(on)
    events = [Opened(k=f"k{n}", s=f"s{n}", n=n) for n in EVENTS]
    pipeline.handle(*events, Placed(k="s0", n=0), Placed(k="s1", n=1), Placed(k=f"s{BAD}", n=BAD))
    assert ran == {("outside", n): 1 for n in EVENTS}
    assert order[:100] == ["inside"] * 50 + ["outside"] * 50
    assert pipeline.effects("inside") == list(EVENTS)
    assert pipeline.effects("later") == [0]
    assert sorted((handler, n) for handler, n, _ in pipeline.parked()) == [
        ("later", 1),
        ("later", BAD),
        ("outside", BAD),
    ]


def test_a_batch_handler_outside_gets_the_good_ones(play: Play) -> None:
    calls: list[list[int]] = []
    on = Handlers("shop")

    @on(Placed, order="none")
    def outside(events: list[Placed]) -> None:
        calls.append([event.n for event in events])
        for event in events:
            fail(event.n)

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    assert calls[0] == list(EVENTS)
    assert calls[1:] == [[n] for n in EVENTS]
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("outside", BAD)]


def test_what_follows_of_its_key_parks_behind_it(play: Play) -> None:
    outside: list[tuple[str, int]] = []
    pipeline = play(shop(outside))
    pipeline.handle(*placed(range(25, 35), key="one"), *placed(range(25, 35), key="two"))
    after = list(range(BAD + 1, 35))
    for handler in ("bad_session", "bad_batch", "bad_outside"):
        parked = [(n, error) for name, n, error in pipeline.parked() if name == handler]
        assert sorted(n for n, _ in parked) == sorted([BAD, BAD, *after, *after])
        assert sum(1 for _, error in parked if error) == 2
    assert sorted(pipeline.effects("good_session")) == sorted([*range(25, 35), *range(25, 35)])


def test_without_order_nothing_parks_behind_it(play: Play) -> None:
    pipeline = play(shop([], order="none"))
    pipeline.handle(*placed(range(25, 35), key="one"))
    assert {n for _, n, _ in pipeline.parked()} == {BAD}


@pytest.mark.parametrize("constraint", ["UNIQUE (n) DEFERRABLE INITIALLY DEFERRED", "UNIQUE (n) DEFERRABLE"])
def test_a_constraint_that_is_checked_at_the_commit(constraint: str, pipeline_postgres: str) -> None:
    """It lands on the event that violates it, and on the handler; the others keep their deferral."""
    ran: Counter[str] = Counter()
    on = Handlers("shop")

    @on(Placed, order="none")
    def inserting(event: Placed, db: Session) -> None:
        ran["inserting"] += 1
        note(db, "inserting", event.n)
        db.execute(text("INSERT INTO late VALUES (:n)"), {"n": 0 if event.n == BAD else event.n})
        if "INITIALLY DEFERRED" in constraint:
            db.execute(text("INSERT INTO late VALUES (0)"))  # violated for a moment
            db.execute(text("DELETE FROM late WHERE ctid = (SELECT max(ctid) FROM late WHERE n = 0)"))

    @on(Placed, order="none")
    def other(event: Placed, db: Session) -> None:
        note(db, "other", event.n)

    pipeline = Pipeline(pipeline_postgres, on)
    with pipeline.engine.begin() as db:
        db.execute(text(f"CREATE TABLE late (n int, {constraint})"))
    try:
        pipeline.handle(*placed(EVENTS))
        assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("inserting", BAD)]
        assert "UniqueViolation" in pipeline.parked()[0][2]
        assert pipeline.effects("inserting") == [n for n in EVENTS if n != BAD]
        assert pipeline.effects("other") == list(EVENTS)
        with pipeline.engine.connect() as db:
            assert list(db.execute(text("SELECT n FROM late ORDER BY n")).scalars()) == [
                n for n in EVENTS if n != BAD
            ]
    finally:
        with pipeline.engine.begin() as db:
            db.execute(text("DROP TABLE late"))
        pipeline.close()


@pytest.mark.parametrize("batch", [True, False])
def test_what_follows_a_failure_outside_of_the_database(batch: bool, play: Play) -> None:
    """Nothing is taken again, and the key's order is kept all the same."""
    seen: list[int] = []
    bad = True

    def each(event: Placed) -> None:
        if bad:
            fail(event.n)
        seen.append(event.n)

    def every(events: list[Placed]) -> None:
        for event in events:
            if bad:
                fail(event.n)
        seen.extend(event.n for event in events)

    on = Handlers("shop")
    on(Placed, name="outside")(every if batch else each)
    pipeline = play(on)
    pipeline.handle(*placed([BAD - 1, BAD, BAD + 1, BAD + 2], key="one"), Placed(k="two", n=BAD + 3))
    assert seen == [BAD - 1, BAD + 3]
    assert [(n, error) for _, n, error in pipeline.parked()] == [
        (BAD, "ValueError: bad"),
        (BAD + 1, ""),
        (BAD + 2, ""),
    ]
    bad = False
    pipeline.later()
    assert seen == [BAD - 1, BAD + 3, BAD, BAD + 1, BAD + 2]
    assert pipeline.is_clean()
