"""A share that died waiting is parked again, where it was, when its pair is met after all."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.stage import Opened, Play, Viewed, note
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


def test_a_share_that_was_never_met_is_handled_when_it_is_met(play: Play) -> None:
    stage = play(visits())
    stage.handle(Viewed(n=1), Viewed(n=2), Viewed(k="k2", n=3))
    stage.later(DAY + 1)
    assert len(stage.dead()) == 6
    assert stage.parked() == []
    stage.handle(Opened(k="k3"))
    assert stage.parked() == [], stage.rows("parked")
    assert stage.is_clean(), stage.dead()
    assert sorted(stage.effects("watch")) == [1, 2, 3]
    assert [n for n in stage.effects("view") if n != 3] == [1, 2]


def test_it_goes_before_what_was_parked_behind_it_meanwhile(play: Play) -> None:
    """The second waits for another pair, which is met first; it is due only when its predecessor has been handled."""
    failing = {2}
    stage = play(visits(failing=failing))
    stage.handle(Opened(k="k3", s="s2"), Viewed(n=1))
    stage.later(DAY + 1)
    stage.handle(Viewed(s="s2", n=2))
    stage.handle(Opened(k="k3"), Viewed(n=3))
    assert [n for handler, n, _ in stage.parked() if handler == "view"] == [2, 3]
    failing.clear()
    stage.later()
    assert stage.effects("view") == [1, 2, 3]


def test_a_revived_share_has_all_its_attempts_and_a_new_day(play: Play) -> None:
    failing = {1}
    stage = play(visits(failing=failing))
    stage.handle(Viewed(n=1))
    stage.later(DAY + 1)
    stage.handle(Opened(k="k3"))
    assert [(n, error) for handler, n, error in stage.parked() if handler == "view"] == [
        (1, "ValueError: as told")
    ]
    assert stage.rows("parked", "attempts", "head_since")[0][0] == 1
    failing.clear()
    stage.later(100.0)
    assert stage.is_clean()


def test_a_dead_letter_of_another_kind_stays(play: Play) -> None:
    stage = play(visits(7))
    stage.handle(Opened(k="k3", n=7))
    stage.handle(Opened(k="k3", n=8), Viewed(n=1))
    assert stage.dead() == [("open_", 7, "rejected by its handler")]


def test_it_is_counted(play: Play) -> None:
    stage = play(visits())
    stage.handle(Viewed(n=1))
    stage.later(DAY + 1)
    stage.handle(Viewed(k="k2", n=2))
    stage.handle(Opened(k="k3"))
    tally = stage.workers["shop.opened"].tally
    assert (tally.released, tally.revived) == (2, 2)
