"""Somebody deletes the head of a key by hand: what is behind it goes on."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from consumers.pipeline import Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.database.tables import parked
from oyez.consumers.upkeep.stranded import IDLE


def test_what_is_behind_a_head_that_was_deleted_by_hand_goes_on(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if event.n == 1:
            raise ValueError("the first")
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.handle(*(Placed(n=n) for n in range(1, 5)))
    pipeline.later(5.0)
    assert pipeline.effects() == []
    with pipeline.engine.begin() as db:
        first = min(pipeline.rows("parked", "id"))
        db.execute(delete(parked).where(parked.c.id == first))
    pipeline.later(IDLE)
    pipeline.later(5.0)
    assert pipeline.effects() == [2, 3, 4]
    assert pipeline.is_clean()
