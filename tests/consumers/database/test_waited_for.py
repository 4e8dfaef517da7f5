"""What the parked rows of a group wait for, some at a time."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import insert

from consumers.database.large_table import APP, WIDE, row
from oyez.consumers.database import make_engine, waiting
from oyez.consumers.database.tables import parked
from oyez.schemas.declaration import Prerequisite

SIGNALS = ("closed", "opened", "seen")
GROUPS = ("shop.a", "shop.b", "shop.c")


@pytest.mark.parametrize("limit", [1, 2, 5, 1_000])
def test_each_once_beside_other_groups_and_signals(pipeline_database: str, limit: int) -> None:
    chance = random.Random(limit)
    rows = [
        row(
            WIDE,
            n,
            f"k{n}",
            group_name=chance.choice(GROUPS),
            wait_signal=chance.choice(SIGNALS),
            wait_subject=f"s{chance.randrange(8)}",
            head_since=1.0,
        )
        for n in range(100)
    ]
    engine = make_engine(pipeline_database)
    with engine.begin() as db:
        db.execute(insert(parked), rows)
    asked = ("seen", "opened")
    for group in GROUPS:
        found, after = list[Prerequisite](), Prerequisite("", "")
        with engine.connect() as db:
            while some := waiting.waited_for(db, APP, group, asked, after, limit):
                assert len(some) <= limit
                found += some
                after = some[-1]
        expected = {
            Prerequisite(one["wait_signal"], one["wait_subject"])
            for one in rows
            if one["group_name"] == group and one["wait_signal"] in asked
        }
        assert (set(found), len(found)) == (expected, len(expected))
    engine.dispose()
