"""What workers have died on is run alone, and no more is claimed for it than that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, update

from consumers.pipeline import Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database import claims
from oyez.consumers.database.tables import parked


def test_one_row_is_claimed_for_one_that_is_run_alone(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    claim = claims.claim

    def counting(db: Connection, *given: Any) -> list[claims.ParkedRow]:
        rows = claim(db, *given)
        asked.append((given[-1], len(rows)))
        return rows

    monkeypatch.setattr(claims, "claim", counting)
    on = Handlers("shop")
    down = ["a service"]

    @on(Placed, order="none")
    def place(event: Placed, db: Connection) -> None:
        if down:
            raise ValueError("down")
        note(db, "place", event.n)

    pipeline = play(on, batch=50)
    pipeline.handle(*placed(range(40)))
    with pipeline.engine.begin() as db:
        first = sorted(pipeline.rows("parked", "id"))[:10]
        db.execute(update(parked).values(due_at=pipeline.clock.now + 10.0))
        db.execute(
            update(parked).where(parked.c.id.in_(first)).values(starts=3, due_at=pipeline.clock.now + 9.0)
        )
    asked.clear()
    down.clear()
    pipeline.later(11.0)
    assert sorted(pipeline.effects()) == list(range(40))
    assert pipeline.is_clean()
    found = [(limit, count) for limit, count in asked if count]
    assert found[:10] == [(50, 40)] + [(1, 1)] * 9
    assert found[10:] == [(1, 1), (50, 29)], "the first one after them, and then all others"
