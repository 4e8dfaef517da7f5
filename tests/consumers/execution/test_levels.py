"""A group that handles several signals: what a batch itself completes, its later events may use."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from consumers.execution.levels import (
    ALL,
    HELD_UP,
    KINDS,
    Kind,
    batch,
    done,
    each,
    effects_of,
    held_up,
    nothing_seen,
    seen,
    session,
    visits,
)
from consumers.pipeline import Known, Opened, Play, Viewed, note
from oyez.consumers import Handlers

__all__ = ["nothing_seen"]


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
    ran = seen or [(r, n) for r, n in effects_of(pipeline)]
    assert [name for name, _ in ran] == ["opened", "viewed", "viewed", "last", "closed"]


@pytest.mark.parametrize("opened", KINDS)
@pytest.mark.parametrize("viewed", KINDS)
def test_what_failed_holds_up_what_requires_it(opened: Kind, viewed: Kind, play: Play) -> None:
    healed = False
    pipeline = play(visits(opened, viewed, fails=lambda name, n: (name, n) == ("opened", 10) and not healed))
    pipeline.handle(*(event for number in range(3) for event in session(number)))
    without = {name: [n for n in numbers if n // 10 != 1] for name, numbers in ALL.items()}
    assert done(pipeline) == without
    assert held_up(pipeline) == HELD_UP
    healed = True
    pipeline.later()
    assert pipeline.is_clean()
    assert {name: sorted(numbers) for name, numbers in done(pipeline).items()} == ALL


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
    ran = [n for name, n in (seen or effects_of(pipeline)) if name == "viewed"]
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
    assert effects_of(pipeline) == [("now", 1)]
    assert {(name, n) for name, n, _ in pipeline.parked()} == {("held", 1), ("viewed", 2)}
    pipeline.handle(Gate(n=3))
    assert effects_of(pipeline) == [("now", 1), ("gate", 3), ("held", 1), ("viewed", 2)]
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
