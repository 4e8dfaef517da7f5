"""Rows that wait for what is met, and of which nobody knows: the sweep finds them when they have waited too long."""

from __future__ import annotations

from sqlalchemy import Connection, update

from consumers.pipeline import Opened, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.database.tables import prerequisite

DAY = 86_400.0
LEFT = 7


def test_they_are_released_and_hold_up_nobody_who_waited_in_vain(play: Play) -> None:
    on = Handlers("shop")

    @on(Opened)
    def open_it(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    pipeline = play(on, batch=3)
    pipeline.handle(*(Viewed(k=f"k{n}", s="s1" if n < LEFT else "never", n=n) for n in range(LEFT + 1)))
    with pipeline.engine.begin() as db:
        met = update(prerequisite).where(prerequisite.c.subject == "s1")
        db.execute(met.values(met_at=pipeline.clock.now))
    pipeline.later(DAY / 2)
    assert pipeline.effects("view") == [], "this is how they are left"
    pipeline.later(DAY)
    pipeline.later(10.0)
    assert sorted(pipeline.effects("view")) == list(range(LEFT))
    assert [(n, reason[:9]) for _, n, reason in pipeline.dead()] == [(LEFT, "never met")]
    assert pipeline.rows("releasing", "group_name") == []
