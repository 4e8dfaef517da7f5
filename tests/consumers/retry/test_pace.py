"""Parked rows are claimed as fast as they can be run: a slow database leaves time to run them, and what is claimed is
run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.database import claims
from oyez.consumers.database.parked_row import Candidate
from oyez.consumers.retry.pace import Pace

ROWS = 64


def due(play: Play, seconds: float) -> Pipeline:
    """So many rows that are due, each of a key of its own; a handler takes so long for each."""
    on = Handlers("shop")
    made: list[Pipeline] = []

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        return

    @on(Viewed)
    def viewed(event: Viewed, db: Session) -> None:
        made[0].clock.now += seconds
        note(db, "viewed", event.n)

    made.append(play(on))
    made[0].handle(*(Viewed(s=f"s{n}", n=n) for n in range(ROWS)))
    made[0].announce(*(Opened(s=f"s{n}", n=n) for n in range(ROWS)))
    made[0].workers["shop.opened"].step()
    return made[0]


def claimed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run all that is due; how many rows each claim had."""
    sizes: list[int] = []
    claim = claims.claim_candidates

    def counting(*given: object) -> list[Candidate]:
        found = claim(*given)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(claims, "claim_candidates", counting)
    while len(pipeline.effects("viewed")) < ROWS:
        pipeline.clock.now += 0.1
        pipeline.workers["shop.viewed"].step()
        assert len(sizes) <= 4 * ROWS
    return sizes


def test_where_each_statement_takes_long_as_many_are_run_as_are_claimed(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = due(play, seconds=0.0)

    @event.listens_for(pipeline.engine, "before_cursor_execute")
    def slowly(_db: object, _cursor: object, statement: str, *_: object) -> None:
        pipeline.clock.now += 0.3 if "oyez_" in statement else 0.0

    sizes = claimed(pipeline, monkeypatch)
    assert len(sizes) <= 8, f"claims of {sizes} rows, for {ROWS} rows in all"


def test_no_more_are_claimed_than_are_run_in_time(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = claimed(due(play, seconds=0.09), monkeypatch)
    assert sum(sizes[1:]) <= 3 * ROWS, f"claims of {sizes} rows, for {ROWS} rows in all"


@given(least=st.integers(1, 900), ran=st.lists(st.integers(0, 500), max_size=40))
def test_the_next_claim_has_twice_as_many_as_have_run(least: int, ran: list[int]) -> None:
    pace = Pace(least, 500)
    for count in ran:
        claimed = pace.rows
        pace.note(claimed, min(count, claimed))
        assert min(least, 500) <= pace.rows <= 500
        assert pace.rows >= min(500, 2 * min(count, claimed))
    for _ in range(9):
        pace.note(pace.rows, pace.rows)
    assert pace.rows == 500, "a slow spell is over"
