"""Inline in a transaction of the announcer's own: what the event releases runs there, and of that what a second takes.
What was due before is nobody's of this transaction."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Make
from consumers.pipeline import Clock, Known, Opened, Placed, note
from oyez.consumers import Handlers


class Late(Known, name="late.inline", key="k", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


def visits(broken: set[int]) -> Handlers:
    """`Placed` fails for some numbers; `Late` waits for `Opened`, in the same group."""
    on = Handlers("shop")

    @on(Placed, group="visits")
    def place(event: Placed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not now")
        note(db, "place", event.n)

    @on(Opened, group="visits")
    def open_it(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Late, group="visits")
    def late(event: Late, db: Connection) -> None:
        note(db, "late", event.n)

    return on


def test_what_was_due_before_is_left_to_a_sweep(inline: Make) -> None:
    broken = {0, 1, 2}
    pipeline = inline(visits(broken))
    for n in range(3):
        pipeline.announcer.announce(Placed(k=f"k{n}", n=n))
    pipeline.announcer.announce(Late(n=10))
    pipeline.clock.now += 1_000
    broken.clear()
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Opened(n=5), db=db)
        db.commit()
    assert pipeline.effects() == [5, 10]
    pipeline.sweep()
    assert sorted(pipeline.effects()) == [0, 1, 2, 5, 10]


class Passing(Clock):
    """Each look at it takes 50 ms."""

    def __call__(self) -> float:
        self.now += 0.05
        return self.now


def test_of_what_it_releases_only_so_much_runs_as_a_second_takes(inline: Make) -> None:
    pipeline = inline(visits(set()))
    for n in range(100, 160):
        pipeline.announcer.announce(Late(k=f"k{n}", n=n))
    pipeline.transport._timer = Passing()
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Opened(n=5), db=db)
        db.commit()
    ran = pipeline.effects()
    assert ran[0] == 5
    assert 1 < len(ran) < 50
    pipeline.clock.now += 1
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Opened(s="s2", n=6), db=db)
        db.commit()
    assert pipeline.effects() == [*ran, 6], "what another one has left is none of this one's"
    pipeline.sweep()
    assert sorted(pipeline.effects()) == [5, 6, *range(100, 160)]
