"""The journal is kept for its days."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from consumers.pipeline import Pipeline, Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.database.journal_table import journal
from oyez.consumers.upkeep import retention as walking

DAY = 86_400.0


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several steps for a few rows."""
    monkeypatch.setattr(walking, "STEP", 3)


def shop() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    return on


def sweeps(pipeline: Pipeline) -> None:
    """Minutes pass."""
    for _ in range(8):
        pipeline.later(61.0)


def test_the_journal_is_kept_for_its_days(play: Play) -> None:
    pipeline = play(shop(), journal="all", journal_days=7)
    pipeline.handle(*(Placed(n=n) for n in range(8)))
    pipeline.later(6.9 * DAY)
    pipeline.handle(Placed(n=8))
    assert len(pipeline.rows("journal", "id")) == 9
    pipeline.later(0.2 * DAY)
    sweeps(pipeline)
    (left,) = pipeline.rows("journal", "at")
    assert left == pytest.approx(1_000_000 + 6.9 * DAY, abs=60)


def test_the_journal_of_another_application_is_its_own(play: Play) -> None:
    pipeline = play(shop(), journal="all", journal_days=1)
    pipeline.handle(*(Placed(n=n) for n in range(8)))
    with pipeline.engine.begin() as db:
        db.execute(update(journal).where(journal.c.id % 2 == 0).values(app="other"))
    pipeline.later(2 * DAY)
    sweeps(pipeline)
    assert pipeline.rows("journal", "app") == ["other"] * 4
