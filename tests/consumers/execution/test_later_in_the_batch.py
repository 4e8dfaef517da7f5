"""What a batch itself completes, its earlier events may use as well: it is handled first, and nothing is parked."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.execution.levels import (
    ALL,
    HELD_UP,
    KINDS,
    Kind,
    Last,
    done,
    effects_of,
    held_up,
    nothing_seen,
    seen,
    session,
    visits,
)
from consumers.pipeline import Known, Opened, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.database import releasing

__all__ = ["nothing_seen"]


def backwards(count: int) -> list[Known]:
    return [event for number in range(count) for event in reversed(session(number))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_way_round_in_one_batch(kind: Kind, play: Play) -> None:
    pipeline = play(visits(kind, kind))
    pipeline.run()
    pipeline.announce(*backwards(1))
    [worker] = pipeline.workers.values()
    assert worker.step() == 5
    ran = seen or effects_of(pipeline)
    assert ran[0] == ("opened", 0)
    assert ran[-1] == ("closed", 4)
    assert sorted(ran[1:-1]) == [("last", 3), ("viewed", 1), ("viewed", 2)]
    assert ran.index(("viewed", 2)) < ran.index(("viewed", 1)), "as they came"
    assert worker.tally.parked == 0
    assert pipeline.is_clean()
    assert {signal for _, signal, _, at, _ in pipeline.rows("prerequisite") if at is not None} == {
        "opened",
        "viewed.last",
        "closed",
    }


@pytest.mark.parametrize("opened", KINDS)
@pytest.mark.parametrize("viewed", KINDS)
def test_what_fails_later_in_the_batch_holds_up_what_requires_it(
    opened: Kind, viewed: Kind, play: Play
) -> None:
    healed = False
    pipeline = play(visits(opened, viewed, fails=lambda name, n: (name, n) == ("opened", 10) and not healed))
    pipeline.handle(*backwards(3))
    without = {name: [n for n in numbers if n // 10 != 1] for name, numbers in ALL.items()}
    assert {name: sorted(numbers) for name, numbers in done(pipeline).items()} == without
    assert held_up(pipeline) == HELD_UP
    healed = True
    pipeline.later()
    assert pipeline.is_clean()
    assert {name: sorted(numbers) for name, numbers in done(pipeline).items()} == ALL
    assert [n for n in done(pipeline)["viewed"] if n // 10 == 1] == [12, 11], "in the order of their key"


def test_what_stands_behind_in_the_key_stays_behind(play: Play) -> None:
    """A view of a session that is known, behind one that waits for the batch's last event."""
    pipeline = play(visits(*KINDS[:2]))
    pipeline.handle(Opened(k="b", s="old"))
    pipeline.handle(Viewed(k="a", s="new", n=1), Viewed(k="a", s="old", n=2), Opened(k="c", s="new", n=3))
    assert pipeline.effects("viewed") == [1, 2]
    assert pipeline.is_clean()


def test_what_is_completed_in_part_is_not_complete(play: Play) -> None:
    """One of two handlers of the event that completes it waits."""
    on = Handlers("shop")

    @on(Opened, name="first", group="visits")
    def first(event: Opened, db: Connection) -> None:
        note(db, "first", event.n)

    @on(Opened, name="second", group="visits", requires={Last: "s"})
    def second(event: Opened, db: Connection) -> None:
        note(db, "second", event.n)

    @on(Viewed, name="viewed", group="visits")
    def viewed(event: Viewed, db: Connection) -> None:
        note(db, "viewed", event.n)

    @on(Last, name="last", group="visits", requires={})
    def last(event: Last, db: Connection) -> None:
        note(db, "last", event.n)

    pipeline = play(on)
    pipeline.handle(Viewed(k="a", n=1), Opened(k="b", n=2))
    assert effects_of(pipeline) == [("first", 2)]
    assert {(name, n) for name, n, _ in pipeline.parked()} == {("second", 2), ("viewed", 1)}
    pipeline.handle(Last(k="c", n=3))
    assert [name for name, _ in effects_of(pipeline)] == ["first", "last", "second", "viewed"]
    assert pipeline.is_clean()


class Turn(Known, name="turn", key="k", subject="s", requires={"turn": "t"}):
    k: str = "k1"
    s: str = "s1"
    t: str | None = None
    n: int = 0


@pytest.mark.parametrize("at_once", [1, 100], ids=["released later", "released at once"])
def test_only_the_first_that_meets_what_the_head_waits_for_goes_before_it(
    at_once: int, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", at_once)
    on = Handlers("shop")
    on(Turn, name="turn", group="visits")(KINDS[0]("turn", lambda _: False))
    pipeline = play(on)
    pipeline.handle(Turn(k="k2", s="z", t="a", n=0), Turn(s="x", t="a", n=1), Turn(s="y", n=2))
    assert effects_of(pipeline) == []
    pipeline.handle(Turn(s="a", n=3), Turn(s="b", n=4), Turn(s="a", n=5))
    pipeline.later()
    assert [n for n in pipeline.effects("turn") if n] == [3, 1, 2, 4, 5]
    assert 0 in pipeline.effects("turn")
    assert pipeline.is_clean()
