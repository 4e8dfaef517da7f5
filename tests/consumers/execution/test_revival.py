"""A delivery that died waiting is parked again, where it was, when its prerequisite is met after all."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.pipeline import Opened, Play, Viewed, note
from oyez.consumers import Handlers, Reject

DAY = 86_400.0


def visits(*refused: int, failing: set[int] | None = None) -> Handlers:
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        if event.n in refused:
            raise Reject("as told")
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in (failing or ()):
            raise ValueError("as told")
        note(db, "view", event.n)

    @on(Viewed, order="none")
    def watch(event: Viewed, db: Connection) -> None:
        note(db, "watch", event.n)

    return on


def test_a_delivery_that_was_never_met_is_handled_when_it_is_met(play: Play) -> None:
    pipeline = play(visits())
    pipeline.handle(Viewed(n=1), Viewed(n=2), Viewed(k="k2", n=3))
    pipeline.later(DAY + 1)
    assert len(pipeline.dead()) == 6
    assert pipeline.parked() == []
    pipeline.handle(Opened(k="k3"))
    assert pipeline.parked() == [], pipeline.rows("parked")
    assert pipeline.is_clean(), pipeline.dead()
    assert sorted(pipeline.effects("watch")) == [1, 2, 3]
    assert [n for n in pipeline.effects("view") if n != 3] == [1, 2]


def test_it_goes_before_what_was_parked_behind_it_meanwhile(play: Play) -> None:
    """The second waits for another prerequisite, which is met first; it is due only when its predecessor has been
    handled."""
    failing = {2}
    pipeline = play(visits(failing=failing))
    pipeline.handle(Opened(k="k3", s="s2"), Viewed(n=1))
    pipeline.later(DAY + 1)
    pipeline.handle(Viewed(s="s2", n=2))
    pipeline.handle(Opened(k="k3"), Viewed(n=3))
    assert [n for handler, n, _ in pipeline.parked() if handler == "view"] == [2, 3]
    failing.clear()
    pipeline.later()
    assert pipeline.effects("view") == [1, 2, 3]


def test_a_revived_delivery_has_all_its_attempts_and_a_new_day(play: Play) -> None:
    failing = {1}
    pipeline = play(visits(failing=failing))
    pipeline.handle(Viewed(n=1))
    pipeline.later(DAY + 1)
    pipeline.handle(Opened(k="k3"))
    assert [(n, error) for handler, n, error in pipeline.parked() if handler == "view"] == [
        (1, "ValueError: as told")
    ]
    assert pipeline.rows("parked", "attempts", "head_since")[0][0] == 1
    failing.clear()
    pipeline.later(100.0)
    assert pipeline.is_clean()


def test_a_dead_letter_of_another_kind_stays(play: Play) -> None:
    pipeline = play(visits(7))
    pipeline.handle(Opened(k="k3", n=7))
    pipeline.handle(Opened(k="k3", n=8), Viewed(n=1))
    assert pipeline.dead() == [("open_", 7, "rejected by its handler")]


def test_it_is_counted(play: Play) -> None:
    pipeline = play(visits())
    pipeline.handle(Viewed(n=1))
    pipeline.later(DAY + 1)
    pipeline.handle(Viewed(k="k2", n=2))
    pipeline.handle(Opened(k="k3"))
    tally = pipeline.workers["shop.opened"].tally
    assert (tally.released, tally.revived) == (2, 2)
