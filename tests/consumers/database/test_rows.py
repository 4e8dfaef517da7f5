"""Many rows in one parameter: what is sent is what the database reads, on both databases."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Double, Text, create_engine

from oyez.consumers.database.dialects.lookup import dialect_named

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
rows = st.tuples(
    st.one_of(
        texts,
        st.sampled_from(["", "NULL", "null", '"', "\\", '\\"', "{}", ",", "a,b", " ", "\n\t\x01", "'", "ü"]),
    ),
    st.one_of(st.none(), texts),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.booleans(),
)


def as_read(url: str, given: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    found = dialect_named(engine.dialect.name).rows(
        text=Text, maybe=Text, number=BigInteger, time=Double, flag=Boolean
    )
    with engine.connect() as db:
        read = [tuple(row) for row in db.execute(found.select(), found.bind(given))]
    engine.dispose()
    return read


@given(given=st.lists(rows, max_size=6))
@example(given=[("a", "b", 1, 0.5, True), ('"', "\\", None, None, False)])
@example(given=[("a", "NULL", 1, 1e300, True), ("b", None, -1, 5e-324, False)])
def test_rows_are_read_as_they_were_given(prepared_postgres: str, given: list[tuple[Any, ...]]) -> None:
    assert as_read(prepared_postgres, given) == given


@given(given=st.lists(rows, max_size=6))
def test_and_by_sqlite(given: list[tuple[Any, ...]]) -> None:
    assert as_read("sqlite://", given) == given
