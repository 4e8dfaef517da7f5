"""The journal of handlers that run apart: each event once, when it is done."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Connection

from consumers.pipeline import Placed, Play, note
from oyez.consumers import Handlers


def failing_once() -> tuple[Handlers, set[int]]:
    on, broken = Handlers("shop"), {3}

    @on(Placed, concurrency=3)
    def place(event: Placed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        note(db, "place", event.n)

    return on, broken


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("all", {"done": 8, "retried": 1}),
        ("parked", {"done": 1, "retried": 1}),  # to be put before the lanes is not to wait
        ("off", {}),
    ],
)
def test_a_row_when_it_is_done(lanes: Play, setting: str, expected: dict[str, int]) -> None:
    on, broken = failing_once()
    pipeline = lanes(on, journal=setting)
    pipeline.handle(*(Placed(k=f"k{n}", n=n) for n in range(8)))
    broken.clear()
    pipeline.later(100.0)
    assert sorted(pipeline.effects()) == list(range(8))
    assert Counter(pipeline.rows("journal", "outcome")) == expected
