"""Many rows for one INSERT go to PostgreSQL as one statement, and what is in the table is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.orm import Session, registry

from consumers.database.handlers_connection import handling, sent_row_by_row
from oyez.consumers.database import make_engine

MANY = 40
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = {"min_value": datetime(2, 1, 1), "max_value": datetime(9998, 1, 1)}  # noqa: DTZ001 # zones are given
PLAIN: Mapping[str, st.SearchStrategy[Any]] = {
    "said": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
    | st.sampled_from(["NULL", "", '"', "\\", "{}", "a,b", " ", "%s", "%(n)s"]),
    "small": st.integers(-(2**15), 2**15 - 1),
    "large": st.integers(-(2**63), 2**63 - 1),
    "exact": st.decimals(allow_infinity=False, allow_nan=False),
    "float": st.floats(),
    "flag": st.booleans(),
    "day": st.dates(),
    "local": st.datetimes(**MOMENTS),
    "moment": st.datetimes(timezones=ZONES, **MOMENTS),
    "of all": st.uuids(),
}
OTHERS: Mapping[str, st.SearchStrategy[Any]] = {
    **PLAIN,
    "exact": st.floats(allow_nan=False, allow_infinity=False) | st.integers() | PLAIN["exact"],
    "float": st.integers(-(2**70), 2**70) | st.floats(),
    "small": st.booleans() | st.sampled_from(["1", "-1"]) | PLAIN["small"],
    "local": PLAIN["moment"] | PLAIN["local"],
    "moment": PLAIN["local"] | PLAIN["moment"],
    "day": PLAIN["local"] | PLAIN["day"],
    "of all": st.uuids().map(str) | PLAIN["of all"],
}
tables = MetaData()
typed = Table(
    "deferred_typed",
    tables,
    Column("id", Integer, primary_key=True),
    Column("said", Text),
    Column("small", SmallInteger),
    Column("large", BigInteger),
    Column("exact", Numeric),
    Column("float", Float),
    Column("flag", Boolean),
    Column("day", Date),
    Column("local", DateTime),
    Column("moment", DateTime(timezone=True)),
    Column("of all", Uuid),
)
short = Table("deferred_short", tables, Column("said", String(3)), Column("n", Integer, unique=True))

Rows = Sequence[Mapping[str, Any]]


@pytest.fixture
def engine(pipeline_postgres: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_postgres)
    tables.create_all(engine)
    yield engine
    tables.drop_all(engine)
    engine.dispose()


def rows_of(values: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Rows]:
    """Many rows of some of the columns, of which any may be NULL."""
    names = st.sets(st.sampled_from(sorted(values)), min_size=1).map(sorted)
    return names.flatmap(
        lambda some: st.lists(
            st.fixed_dictionaries({name: st.none() | values[name] for name in some}), min_size=16, max_size=18
        )
    )


def written(db: Connection, rows: Rows) -> list[str]:
    """What the table is by the server's own words, once the rows are in it; or what they met."""
    db.execute(text("ALTER SEQUENCE deferred_typed_id_seq RESTART"))
    try:
        with db.begin_nested():
            db.execute(insert(typed), rows)
    except DBAPIError as error:
        return [type(error.orig).__name__]
    return list(db.execute(text("SELECT deferred_typed::text FROM deferred_typed ORDER BY id")).scalars())


@pytest.mark.parametrize("kind", ["plain", "others"])
def test_any_values_are_what_they_are_row_by_row(kind: str, engine: Engine) -> None:
    @given(rows_of(PLAIN if kind == "plain" else OTHERS))
    def check(rows: Rows) -> None:
        with engine.connect() as plain, plain.begin() as transaction:
            expected = written(plain, rows)
            transaction.rollback()
        is_anything = any(value is not None for one in rows for value in one.values())
        with sent_row_by_row(engine) as left, handling(engine) as db:
            found = written(db, rows)
        assert found == expected
        assert kind == "others" or not is_anything or not left

    check()


def test_rows_are_numbered_in_their_order(engine: Engine) -> None:
    texts = [str(n) for n in range(5_000)]
    with sent_row_by_row(engine) as left, handling(engine) as db:
        counting = {"preserve_rowcount": True}
        result = db.execute(insert(typed), [{"said": one} for one in texts], execution_options=counting)
        assert result.rowcount == len(texts)
        assert list(db.execute(text("SELECT said FROM deferred_typed ORDER BY id")).scalars()) == texts
    assert not left


def test_a_text_that_is_too_long_is_not_cut(engine: Engine) -> None:
    def fails() -> None:
        with handling(engine) as db:
            db.execute(insert(short), [{"said": "12345", "n": n} for n in range(MANY)])

    with pytest.raises(DataError):
        fails()


def test_very_much_is_not_sent_at_once(engine: Engine) -> None:
    with sent_row_by_row(engine) as left, handling(engine) as db:
        db.execute(insert(typed), [{"said": "x" * 1_000_000}] * 20)
        assert db.execute(text("SELECT count(*) FROM deferred_typed")).scalar() == 20
    assert len(left) == 1


def test_one_key_may_come_twice_where_it_may_row_by_row(engine: Engine) -> None:
    adding = postgresql.insert(short)
    upsert = adding.on_conflict_do_update(index_elements=["n"], set_={"said": adding.excluded.said})
    with handling(engine) as db:
        db.execute(upsert, [{"said": str(n), "n": n % 2} for n in range(MANY)])
        assert db.execute(text("SELECT said FROM deferred_short ORDER BY n")).scalars().all() == ["38", "39"]


@pytest.mark.parametrize("named", [None, ["n"]])
def test_the_first_of_a_key_stays_where_others_are_left_out(named: list[str] | None, engine: Engine) -> None:
    unless_there = postgresql.insert(short).on_conflict_do_nothing(index_elements=named)
    counting = {"preserve_rowcount": True}
    with sent_row_by_row(engine) as left, handling(engine) as db:
        db.execute(insert(short), {"said": "old", "n": 3})
        rows = [{"said": str(n), "n": n % 5} for n in range(MANY)]
        assert db.execute(unless_there, rows, execution_options=counting).rowcount == 4
        found = db.execute(text("SELECT said FROM deferred_short ORDER BY n")).scalars().all()
    assert found == ["0", "1", "2", "old", "4"]
    assert not left


def test_objects_are_added_in_columns(engine: Engine) -> None:
    class Short:
        def __init__(self, n: int) -> None:
            self.n, self.said = n, None

    registry().map_imperatively(Short, short, primary_key=[short.c.n])
    with sent_row_by_row(engine) as left, handling(engine) as db, Session(db) as session:
        session.add_all(map(Short, range(MANY)))
        session.flush()
        assert session.get(Short, MANY - 1) in session
        assert db.execute(text("SELECT count(*) FROM deferred_short")).scalar() == MANY
        session.expunge_all()
    assert not left


def test_what_is_written_by_the_way_has_its_defaults(engine: Engine) -> None:
    changed = Table(
        "deferred_typed",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("said", Text),
        Column("small", Integer, default=7),
        Column("moment", DateTime(timezone=True), default=lambda: datetime(2026, 1, 1, tzinfo=UTC)),
    )
    with sent_row_by_row(engine) as left, handling(engine) as db:
        db.execute(insert(changed), [{"said": "x"}] * MANY)
        found = db.execute(text("SELECT DISTINCT said, small, extract(year FROM moment) FROM deferred_typed"))
        assert found.all() == [("x", 7, Decimal(2026))]
    assert not left
