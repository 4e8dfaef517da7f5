"""Whatever the rate of events, and however many handlers they have, what is old is forgotten faster than it comes."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert, update

from consumers.pipeline import Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.database.journal_table import journal
from oyez.consumers.database.tables import inbox
from oyez.consumers.upkeep import retention as walking

OLD = 300


def test_the_inbox_keeps_up_with_every_rate(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes, so there is no sweep: all is done beside the batches."""
    monkeypatch.setattr(walking, "STEP", 3)
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    pipeline = play(on, inbox_days=1, batch=10)
    pipeline.handle(Placed(n=0))
    old = [
        {"group_name": "shop.placed", "source": "old", "event_id": f"{n:04}", "taken_at": 0.0}
        for n in range(OLD)
    ]
    with pipeline.engine.begin() as db:
        db.execute(insert(inbox), old)
    pipeline.later(61.0)
    worker = pipeline.workers["shop.placed"]
    taken = pipeline.rows("inbox", "taken_at")
    while 0.0 in taken:
        before = len(taken)
        pipeline.announce(*(Placed(n=n) for n in range(10)))
        assert worker.step() == 10
        taken = pipeline.rows("inbox", "taken_at")
        assert len(taken) < before or 0.0 not in taken


def test_the_journal_keeps_up_with_many_handlers(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event leaves a row for each of its handlers."""
    monkeypatch.setattr(walking, "STEP", 3)
    on = Handlers("shop")

    def place(event: Placed) -> None:
        pass

    for n in range(8):
        on(Placed, name=f"place{n}")(place)
    pipeline = play(on, journal="all", journal_days=1, batch=10)
    pipeline.handle(*(Placed(n=n) for n in range(40)))
    old = set(pipeline.rows("journal", "id"))
    assert len(old) == 320
    with pipeline.engine.begin() as db:
        db.execute(update(journal).values(at=0.0))
    pipeline.later(61.0)
    worker = pipeline.workers["shop.placed"]
    left = old & set(pipeline.rows("journal", "id"))
    assert len(left) > 160, "there is something left to see"
    while left:
        pipeline.announce(*(Placed(n=n) for n in range(10)))
        assert worker.step() == 10
        before, left = left, old & set(pipeline.rows("journal", "id"))
        assert len(before) - len(left) > min(80, len(before) - 1), "more goes than comes"
