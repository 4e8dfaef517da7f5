"""A group that handles several signals: what a batch itself completes, its later events may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.pipeline import Known, Opened, Pipeline, Play, Viewed, effects, note
from oyez.consumers import Handlers


class Closed(Known, name="closed", key="k", subject="s", requires={"viewed.last": "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Last(Known, name="viewed.last", key="k", subject="s", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


seen: list[tuple[str, int]] = []
"""What handlers without a database parameter did."""


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


def each(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(event: Any, db: Session) -> None:
        note(db, name, event.n)
        if fails(event.n):
            raise ValueError(f"{name} {event.n}")

    return handle


def batch(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(events: list[Any], db: Connection) -> None:
        note(db, name, *(event.n for event in events))
        for event in events:
            if fails(event.n):
                raise ValueError(f"{name} {event.n}")

    return handle


def outside(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(event: Any) -> None:
        if fails(event.n):
            raise ValueError(f"{name} {event.n}")
        seen.append((name, event.n))

    return handle


KINDS = [each, batch, outside]
Kind = Callable[[str, Callable[[int], bool]], Callable[..., None]]


def visits(
    opened: Kind, viewed: Kind, *, fails: Callable[[str, int], bool] = lambda _name, _n: False
) -> Handlers:
    on = Handlers("shop")
    on(Opened, name="opened", group="visits")(opened("opened", lambda n: fails("opened", n)))
    on(Viewed, name="viewed", group="visits")(viewed("viewed", lambda n: fails("viewed", n)))
    on(Last, name="last", group="visits")(viewed("last", lambda n: fails("last", n)))
    on(Closed, name="closed", group="visits")(opened("closed", lambda n: fails("closed", n)))
    return on


def session(number: int) -> list[Known]:
    """One session, in order, with numbers that count on."""
    k, n = f"s{number}", number * 10
    return [
        Opened(k=k, s=k, n=n),
        Viewed(k=k, s=k, n=n + 1),
        Viewed(k=k, s=k, n=n + 2),
        Last(k=k, s=k, n=n + 3),
        Closed(k=k, s=k, n=n + 4),
    ]


def done(pipeline: Pipeline) -> dict[str, list[int]]:
    with pipeline.engine.connect() as db:
        rows = [(r.handler, r.n) for r in db.execute(effects.select().order_by(effects.c.seq))]
    found: dict[str, list[int]] = {"opened": [], "viewed": [], "last": [], "closed": []}
    for handler, n in [*rows, *seen]:
        found[handler].append(n)
    return found


ALL = {
    "opened": [0, 10, 20],
    "viewed": [1, 2, 11, 12, 21, 22],
    "last": [3, 13, 23],
    "closed": [4, 14, 24],
}


@pytest.mark.parametrize("opened", KINDS)
@pytest.mark.parametrize("viewed", KINDS)
def test_whole_sessions_in_one_batch(opened: Kind, viewed: Kind, play: Play) -> None:
    pipeline = play(visits(opened, viewed))
    pipeline.run()
    pipeline.announce(*(event for number in range(3) for event in session(number)))
    [worker] = pipeline.workers.values()
    assert worker.step() == 15
    assert done(pipeline) == ALL
    assert pipeline.is_clean()
    assert worker.tally.parked == 0
    met = [(signal, subject) for _, signal, subject, at, _ in pipeline.rows("prerequisite") if at is not None]
    assert met == sorted((name, f"s{n}") for name in ("opened", "viewed.last", "closed") for n in range(3))


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_effects_follows_the_levels(kind: Kind, play: Play) -> None:
    pipeline = play(visits(kind, kind))
    pipeline.handle(*session(0))
    ran = seen or [(r, n) for r, n in _effects(pipeline)]
    assert [name for name, _ in ran] == ["opened", "viewed", "viewed", "last", "closed"]


def _effects(pipeline: Pipeline) -> list[tuple[str, int]]:
    with pipeline.engine.connect() as db:
        return [(r.handler, r.n) for r in db.execute(effects.select().order_by(effects.c.seq))]


@pytest.mark.parametrize("opened", KINDS)
@pytest.mark.parametrize("viewed", KINDS)
def test_what_failed_holds_up_what_requires_it(opened: Kind, viewed: Kind, play: Play) -> None:
    healed = False
    pipeline = play(visits(opened, viewed, fails=lambda name, n: (name, n) == ("opened", 10) and not healed))
    pipeline.handle(*(event for number in range(3) for event in session(number)))
    without = {name: [n for n in numbers if n // 10 != 1] for name, numbers in ALL.items()}
    assert done(pipeline) == without
    parked = {(handler, n): bool(error) for handler, n, error in pipeline.parked()}
    assert parked == {
        ("opened", 10): True,
        ("viewed", 11): False,
        ("viewed", 12): False,
        ("last", 13): False,
        ("closed", 14): False,
    }
    healed = True
    pipeline.later()
    assert pipeline.is_clean()
    assert {name: sorted(numbers) for name, numbers in done(pipeline).items()} == ALL


@pytest.mark.parametrize("kind", KINDS)
def test_before_what_it_requires(kind: Kind, play: Play) -> None:
    """In one batch the other way round: it parks, and is released in the same transaction."""
    pipeline = play(visits(kind, kind))
    pipeline.handle(*reversed(session(0)))
    assert pipeline.is_clean()
    assert {name: sorted(numbers) for name, numbers in done(pipeline).items()} == {
        "opened": [0],
        "viewed": [1, 2],
        "last": [3],
        "closed": [4],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_keys_keep_their_order_across_levels(kind: Kind, play: Play) -> None:
    """A view of one key that has to wait for the batch itself, and one behind it that would not."""
    on = Handlers("shop")
    on(Opened, name="opened", group="visits")(kind("opened", lambda n: False))
    on(Viewed, name="viewed", group="visits")(kind("viewed", lambda n: False))
    pipeline = play(on)
    pipeline.handle(Opened(k="b", s="old"))
    seen.clear()
    pipeline.announce(
        Opened(k="c", s="new", n=1),
        Viewed(k="a", s="new", n=2),
        Viewed(k="a", s="old", n=3),
        Viewed(k="b", s="old", n=4),
    )
    pipeline.run()
    ran = [n for name, n in (seen or _effects(pipeline)) if name == "viewed"]
    assert ran.index(2) < ran.index(3)
    assert sorted(ran) == [2, 3, 4]
    assert pipeline.is_clean()


def test_several_completing_handlers(play: Play) -> None:
    """The prerequisite is met when the last of them is done; completes=False does not count."""
    bad = {"first", "second", "award"}
    on = Handlers("shop")

    def failing(name: str) -> Callable[..., None]:
        def handle(event: Opened, db: Session) -> None:
            if name in bad:
                raise ValueError(name)
            note(db, name, event.n)

        return handle

    on(Opened, name="first", group="visits")(failing("first"))
    on(Opened, name="second", group="visits")(failing("second"))
    on(Opened, name="award", group="awards", completes=False)(failing("award"))
    on(Viewed, name="viewed", group="visits")(each("viewed", lambda n: False))
    pipeline = play(on)
    pipeline.handle(Opened(), Viewed(n=1))
    assert sorted((handler, n) for handler, n, _ in pipeline.parked()) == [
        ("award", 0),
        ("first", 0),
        ("second", 0),
        ("viewed", 1),
    ]
    bad -= {"first"}
    pipeline.later()
    assert pipeline.effects("viewed") == []
    bad -= {"second"}
    pipeline.later()
    assert pipeline.effects("viewed") == [1]
    assert [handler for handler, _, _ in pipeline.parked()] == ["award"]


def test_the_same_event_twice_in_a_batch(play: Play) -> None:
    pipeline = play(visits(each, batch))
    pipeline.announce(*session(0))
    for record in pipeline.broker.read("pipeline", 0, 0, 100):
        pipeline.broker.append("pipeline", record.key(), record.value())
    pipeline.run()
    assert done(pipeline) == {"opened": [0], "viewed": [1, 2], "last": [3], "closed": [4]}
    assert len(pipeline.rows("inbox")) == 5
    assert pipeline.rows("position", "position") == [10]


class Gate(Known, name="gate", subject="s"):
    s: str = "s1"
    n: int = 0


def test_a_completing_handler_that_waits_holds_up_the_prerequisite(play: Play) -> None:
    """In the same batch, too: the other one is done, which is not enough."""
    on = Handlers("shop")
    doing = {"now": {}, "held": {Gate: "s"}}
    for name, requires in doing.items():
        on(Opened, name=name, group="all", requires=requires)(each(name, lambda n: False))
    on(Viewed, name="viewed", group="all")(each("viewed", lambda n: False))
    on(Gate, name="gate", group="all")(each("gate", lambda n: False))
    pipeline = play(on)
    pipeline.handle(Opened(k="a", n=1), Viewed(k="b", n=2))
    assert _effects(pipeline) == [("now", 1)]
    assert {(name, n) for name, n, _ in pipeline.parked()} == {("held", 1), ("viewed", 2)}
    pipeline.handle(Gate(n=3))
    assert _effects(pipeline) == [("now", 1), ("gate", 3), ("held", 1), ("viewed", 2)]
    assert pipeline.is_clean()


class Reply(Known, name="reply.levels", key="k", subject="s", requires={"reply.levels": "parent"}):
    k: str = "k1"
    s: str
    parent: str | None = None
    n: int = 0


def test_two_events_of_one_subject_and_one_between_them(play: Play) -> None:
    """The first waits for the third, the third for the second, which is behind the first and has its subject."""
    on = Handlers("shop")
    on(Reply, name="reply")(each("reply", lambda n: False))
    pipeline = play(on)
    pipeline.handle(Reply(s="s1", parent="s2", n=1))
    pipeline.handle(Reply(s="s1", n=2))
    pipeline.handle(Reply(s="s2", parent="s1", n=3))
    assert pipeline.effects() == [2, 3, 1]
    assert pipeline.is_clean()
