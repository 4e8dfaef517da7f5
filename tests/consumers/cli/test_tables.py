"""Tables on terminals of any width: what somebody copies is whole, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from oyez.consumers.cli.common.terminal_table import GAP, Heading, Sized, show, widths

ID = "0198c1f2-7d3a-7c41-9a55-0d7be2a1c001"
HEADINGS = [
    Heading("state"),
    Heading("handler", whole=True),
    Heading("key", whole=True),
    Heading("source", wide=True, whole=True),
    Heading("event", whole=True),
    Heading("in a lane", rare=True),
    Heading("error"),
]
ERROR = "ValueError: " + " ".join(f"word{n}" for n in range(12))
ROWS = [
    ["waiting", "count_view", "session-of-somebody", "web-1", ID, "0", "-"],
    ["due", "count_view", "s2", "web-2", ID[::-1], "-", ERROR],
]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def run(
        columns: int, headings: Sequence[Heading] = HEADINGS, rows: Sequence[Sequence[str]] = ROWS
    ) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        capsys.readouterr()
        show(headings, rows)
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("columns", [20, 60, 80, 100, 120, 200, 400])
def test_ids_and_keys_stand_in_one_line_and_all_words_are_there(shown, columns: int) -> None:  # type: ignore[no-untyped-def]
    said = shown(columns)
    for whole in (ID, ID[::-1], "session-of-somebody", "count_view"):
        assert any(whole in line for line in said.splitlines())
    assert set(ERROR.split()) <= set(said.split())
    assert "…" not in said


def test_a_narrow_terminal_gets_a_block_for_each_record(shown) -> None:  # type: ignore[no-untyped-def]
    first, second = shown(60).strip().split("\n\n")
    assert first.splitlines() == [
        "state      waiting",
        "handler    count_view",
        "key        session-of-somebody",
        "source     web-1",
        f"event      {ID}",
        "in a lane  0",
    ]
    assert (
        second.splitlines()[-1] == f"error      {ERROR}"
    )  # in one: the terminal folds it, and copies it as one


def test_with_less_room_what_is_not_needed_leaves_first(shown) -> None:  # type: ignore[no-untyped-def]
    titles = {columns: re.findall(r"state|source|in a lane|error", shown(columns)) for columns in (400, 120)}
    assert titles == {400: ["state", "source", "in a lane", "error"], 120: ["state", "error"]}
    lines = shown(120).splitlines()
    assert max(map(cell_len, lines)) <= 120
    assert len(lines) > len(shown(400).splitlines())  # the error is folded


def test_what_is_rare_stays_where_it_has_something(shown) -> None:  # type: ignore[no-untyped-def]
    rows = [[*row[:5], "1", row[6]] for row in ROWS]
    assert "lane" in shown(130, rows=rows)


CELL = st.text(st.sampled_from("ab ☃字-"), max_size=40).map(lambda text: text.strip() or "-")


@given(
    st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL, CELL), min_size=1, max_size=5),
    st.integers(20, 200),
)
def test_columns_have_what_they_need_and_no_more_than_there_is(
    rows: list[tuple[str, ...]], room: int
) -> None:
    columns = [
        Sized(one, cells, max(map(cell_len, (one.title, *cells))), cell_len(one.title))
        for one, cells in zip(HEADINGS, zip(*rows, strict=True), strict=True)
    ]
    found = widths(columns, room)
    gaps = GAP * (len(columns) - 1)
    least = sum(one.least for one in columns) + gaps
    assert all(one.least <= width <= one.natural for one, width in zip(columns, found, strict=True))
    assert sum(found) + gaps <= max(room, least)
    if sum(one.natural for one in columns) + gaps <= room:
        assert found == [one.natural for one in columns]
