"""New rows of the retry table go to PostgreSQL as one statement, and are what they would be row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from oyez.consumers.database import make_engine
from oyez.consumers.database.dialects import postgresql_putting
from oyez.consumers.database.dialects.dialect import Dialect
from oyez.consumers.database.dialects.lookup import dialect_named
from oyez.consumers.database.tables import parked

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
texts |= st.sampled_from(["NULL", "", '"', "\\", "\\x41", "{}", "a,b", "%s", " "])
times = st.floats(allow_nan=False, allow_infinity=False)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "app": texts,
    "group_name": texts,
    "handler": texts,
    "signal": texts,
    "source": texts,
    "key": st.none() | texts,
    "subject": st.none() | texts,
    "rank": st.integers(-(2**63), 2**63 - 1),
    "ordered": st.booleans(),
    "wait_signal": st.none() | texts,
    "wait_subject": st.none() | texts,
    "attempts": st.integers(0, 2**31 - 1),
    "error": st.none() | texts | st.sampled_from(["with \0 in it", "half of a pair: \ud800", "long" * 3000]),
    "parked_at": times,
    "value": st.none() | st.binary(max_size=20),
    "headers": st.none() | texts,
    "due_at": st.none() | times,
    "head_since": st.none() | times,
    "raised": st.booleans(),
}
some = st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=8).map(
    lambda rows: [{**row, "event_id": str(at)} for at, row in enumerate(rows)]
)


@pytest.fixture
def engine(pipeline_postgres: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_postgres)
    yield engine
    engine.dispose()


def put(engine: Engine, rows: list[dict[str, Any]], by: Any) -> tuple[list[Any], Any]:
    """What is in the table then, and what was returned."""
    columns = [parked.c[name] for name in rows[0]]
    with engine.connect() as db, db.begin() as transaction:
        db.execute(delete(parked))
        returned = by(db, parked, rows)
        found = [tuple(row) for row in db.execute(select(*columns).order_by(parked.c.id))]
        ids = list(db.execute(select(parked.c.id).order_by(parked.c.id)).scalars())
        transaction.rollback()
    assert list(returned) in ([], ids)
    return found, returned


@given(rows=some)
def test_the_rows_are_the_same(prepared_postgres: str, rows: list[dict[str, Any]]) -> None:
    engine = make_engine(prepared_postgres)
    ours = dialect_named("postgresql")
    found, ids = put(engine, rows, ours.put)
    row_by_row, _ = put(engine, rows, lambda *given: Dialect.put(ours, *given))
    engine.dispose()
    assert found == row_by_row
    assert len(ids) == len(rows)


def rows_of(count: int, value: bytes = b"{}") -> list[dict[str, Any]]:
    kept = {"app": "a", "group_name": "g", "handler": "h", "signal": "s", "source": "web", "ordered": True}
    return [{**kept, "event_id": f"{n}", "key": "k", "parked_at": 1.0, "value": value} for n in range(count)]


def test_what_is_there_already_stays_as_it_is(engine: Engine) -> None:
    ours = dialect_named("postgresql")
    with engine.connect() as db:
        assert len(ours.put(db, parked, rows_of(2))) == 2
        assert not ours.put(db, parked, rows_of(4, b"other"))
        values = select(parked.c.event_id, parked.c.value).order_by(parked.c.id)
        assert [tuple(row) for row in db.execute(values)] == [
            ("0", b"{}"),
            ("1", b"{}"),
            ("2", b"other"),
            ("3", b"other"),
        ]


def test_much_goes_in_portions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_putting, "LARGEST", 250)
    with engine.connect() as db:
        ids = dialect_named("postgresql").put(db, parked, rows_of(7, b"x" * 100))
        found = db.execute(select(parked.c.id, parked.c.event_id).order_by(parked.c.id))
        assert [tuple(row) for row in found] == [(number, f"{n}") for n, number in enumerate(ids)]


def test_nothing_is_nothing_whatever_the_server_says(
    pipeline_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c array_nulls=off")
    engine = make_engine(pipeline_postgres)
    rows = [{**row, "key": None if at else "k"} for at, row in enumerate(rows_of(2))]
    found, _ = put(engine, rows, dialect_named("postgresql").put)
    engine.dispose()
    assert [row[list(rows[0]).index("key")] for row in found] == ["k", None]
