"""A claim takes from all that is due: neither a handler nor what is due by time waits for what lies before another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert

from consumers.database.large_table import APP, GROUP, NOW, row
from oyez.consumers.database import claims, make_engine
from oyez.consumers.database.due import at_once, due_since
from oyez.consumers.database.tables import parked

HANDLERS = ("x", "y", "z")
Queue = tuple[str, bool]
"""A handler, and whether its rows are due at once."""
Ages = dict[Queue, list[int]]
"""For how many seconds each row of a queue has been due; below 0 for one that is due by time, and only later."""

QUEUES = [(handler, is_at_once) for handler in HANDLERS for is_at_once in (True, False)]
AGES = st.fixed_dictionaries(
    {one: st.lists(st.integers(-3 * (not one[1]), 9), max_size=12) for one in QUEUES}
)
LIMITS = st.integers(1, 20)
FOLLOWERS = st.integers(0, 3)


@pytest.fixture
def engine(pipeline_database: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_database)
    yield engine
    engine.dispose()


def fill(db: Connection, ages: Ages, followers: int = 0) -> None:
    """A key for each row, with so many rows behind it."""
    rows = []
    for (handler, is_at_once), found in ages.items():
        for n, age in enumerate(found):
            key, due_at = f"{handler}-{is_at_once}-{n}", NOW - age
            due_at = at_once(due_at) if is_at_once else due_at
            rows.append(row(handler, 0, key, due_at=due_at, head_since=0.0))
            rows += [row(handler, 1 + m, key) for m in range(followers)]
    if rows:
        db.execute(insert(parked), rows)


def queue_of(head: claims.ParkedRow) -> Queue:
    assert head.due_at is not None
    return head.handler, head.due_at < 0.0


def claimed(db: Connection, limit: int) -> list[claims.ParkedRow]:
    return claims.claim(db, APP, GROUP, HANDLERS, NOW, limit)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=AGES, limit=LIMITS, followers=FOLLOWERS)
def test_every_queue_has_its_share(engine: Engine, ages: Ages, limit: int, followers: int) -> None:
    due = {one: sorted((age for age in found if age >= 0), reverse=True) for one, found in ages.items()}
    due = {one: found for one, found in due.items() if found}
    with engine.connect() as db, db.begin() as transaction:
        fill(db, ages, followers)
        rows = claimed(db, limit)
        transaction.rollback()
    heads = [one for one in rows if one.due_at is not None]
    taken = {one: [h for h in heads if queue_of(h) == one] for one in QUEUES}
    assert len(rows) <= limit
    oldest = sorted(due, key=lambda one: due[one][0], reverse=True)
    for one, found in due.items():
        share = limit // len(due) or int(sum(other[0] >= found[0] for other in due.values()) <= limit)
        assert len(taken[one]) >= min(len(found), share)
        assert [NOW - due_since(h.due_at or 0.0) for h in taken[one]] == found[: len(taken[one])]
    if oldest:  # what the others leave is for it
        left = limit - sum(len(taken[one]) for one in due if one != oldest[0])
        assert len(heads) >= min(limit, len(due))
        places = [taken[queue_of(one)].index(one) for one in heads]
        assert places == sorted(places), "one of each queue, in turns"
        assert due[oldest[0]][0] == NOW - due_since(heads[0].due_at or 0.0), "the first has waited longest"
        if len({due[one][0] for one in due}) == len(due):
            assert len(taken[oldest[0]]) == min(len(due[oldest[0]]), left)
    by_key = sorted(rows, key=attrgetter("handler", "key_text"))
    for _, ours in groupby(by_key, key=attrgetter("handler", "key_text")):
        numbers = [one.event_id[-1] for one in ours]
        assert numbers == [str(n) for n in range(len(numbers))], "the head, and what is behind it in order"


@pytest.mark.parametrize("limit", [2, 5, 50])
@pytest.mark.parametrize("other", [("z", False), ("z", True), ("y", False)])
def test_what_is_due_by_time_waits_for_no_backlog(engine: Engine, other: Queue, limit: int) -> None:
    with engine.connect() as db, db.begin() as transaction:
        fill(db, {("y", True): [60] * 200, other: [1]})
        rows = claimed(db, limit)
        assert len([one for one in rows if queue_of(one) == other]) == 1
        assert len(rows) >= 1 + limit // 2
        transaction.rollback()


@pytest.mark.parametrize("limit", [1, 2])
def test_a_queue_that_somebody_has_in_hand_leaves_its_room_to_others(
    pipeline_postgres: str, limit: int
) -> None:
    engine = make_engine(pipeline_postgres)
    with engine.begin() as db:
        fill(db, {(name, True): [n] for n, name in enumerate(HANDLERS)})
    with engine.connect() as one, one.begin(), engine.connect() as other, other.begin():
        assert [row.handler for row in claimed(one, limit)] == ["z", "y"][:limit]
        assert [row.handler for row in claimed(other, limit)] == {1: ["y"], 2: ["x"]}[limit]
    engine.dispose()


@pytest.mark.parametrize("handlers", [1, 3])
def test_nothing_is_left_that_there_is_room_for(engine: Engine, handlers: int) -> None:
    with engine.connect() as db, db.begin() as transaction:
        fill(db, {(name, True): [5] * 10 for name in HANDLERS[:handlers]})
        assert len(claimed(db, 100)) == 10 * handlers
        transaction.rollback()
