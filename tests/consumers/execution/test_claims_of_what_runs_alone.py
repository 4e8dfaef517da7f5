"""What workers died on is run with fewer others each time, at last alone; no more is claimed for it than that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, update

from consumers.pipeline import Pipeline, Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database import claims, start_notes
from oyez.consumers.database.parked_row import Candidate
from oyez.consumers.database.tables import parked
from oyez.consumers.handlers.options import Order


def test_one_row_is_claimed_for_one_that_is_run_alone(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    claim = claims.claim_candidates

    def counting(db: Connection, *given: Any) -> list[Candidate]:
        rows = claim(db, *given)
        asked.append((given[4], len(rows)))
        return rows

    monkeypatch.setattr(claims, "claim_candidates", counting)
    pipeline = parked_rows(play, "none", 50, 40)
    with pipeline.engine.begin() as db:
        first = sorted(pipeline.rows("parked", "id"))[:10]
        db.execute(update(parked).values(due_at=pipeline.clock.now + 10.0))
        db.execute(
            update(parked).where(parked.c.id.in_(first)).values(starts=3, due_at=pipeline.clock.now + 9.0)
        )
    asked.clear()
    pipeline.later(11.0)
    assert sorted(pipeline.effects()) == list(range(40))
    assert pipeline.is_clean()
    found = [(limit, count) for limit, count in asked if count]
    assert found[:10] == [(50, 40)] + [(1, 1)] * 9
    assert found[10:] == [(1, 1), (50, 29)], "the first one after them, and then all others"


class Together:
    """Rows that were run, transaction by transaction: by the notes that are made of them before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: list[list[int]] = []
        self._note = start_notes.note
        monkeypatch.setattr(start_notes, "note", self.note)

    def note(self, db: Connection, group: str, ids: Sequence[int], now: float, *, is_shared: bool) -> int:
        self.ids.append(list(ids))
        return self._note(db, group, ids, now, is_shared=is_shared)

    def sizes(self) -> list[int]:
        return [len(ids) for ids in self.ids]


def parked_rows(play: Play, order: Order, batch: int, count: int) -> Pipeline:
    """A pipeline whose handler failed once for so many events, and goes on."""
    on = Handlers("shop")
    down = ["a service"]

    @on(Placed, order=order)
    def place(event: Placed, db: Connection) -> None:
        if down:
            raise ValueError("down")
        note(db, "place", event.n)

    pipeline = play(on, batch=batch)
    pipeline.handle(*placed(range(count)))
    down.clear()
    return pipeline


@pytest.mark.parametrize(("deaths", "sizes"), [(0, [40]), (1, [25, 15]), (2, [3] * 13 + [1]), (3, [1] * 40)])
def test_fewer_are_run_together_after_each_death(
    play: Play, monkeypatch: pytest.MonkeyPatch, deaths: int, sizes: list[int]
) -> None:
    pipeline = parked_rows(play, "none", 200, 40)
    with pipeline.engine.begin() as db:
        db.execute(update(parked).values(starts=deaths))
    together = Together(monkeypatch)
    pipeline.later(3600.0)
    assert together.sizes() == sizes
    assert sorted(pipeline.effects()) == list(range(40))
    assert pipeline.is_clean()


@pytest.mark.parametrize("order", ["key", "none"])
def test_what_more_workers_died_on_waits_for_its_own_turn(
    play: Play, monkeypatch: pytest.MonkeyPatch, order: Order
) -> None:
    pipeline = parked_rows(play, order, 200, 40)
    deaths = {row: n % 5 for n, row in enumerate(sorted(pipeline.rows("parked", "id")))}
    with pipeline.engine.begin() as db:
        for row, count in deaths.items():
            db.execute(update(parked).where(parked.c.id == row).values(starts=count))
    together = Together(monkeypatch)
    pipeline.later(3600.0)
    assert sorted(pipeline.effects()) == list(range(40))
    assert pipeline.is_clean()
    for ids in together.ids:
        most = max(deaths[row] for row in ids)
        assert most == deaths[ids[0]], "none that is worse than the first"
        assert len(ids) <= (200, 25, 3, 1, 1)[most]
