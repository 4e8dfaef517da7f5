"""The table of `make compat`: which cells there are, and what is made of what pytest reports."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path

import pytest

from compatibility.__main__ import main
from compatibility.cells import CELLS, Cell
from compatibility.environments import NotToBeHad, reason
from compatibility.pythons import found
from compatibility.running import TESTS, Result, counted
from compatibility.services import programs
from compatibility.table import line, page
from house.imports import HOME
from house.test_for_strangers import jobs

CELL = Cell("kafka-9.9", "Kafka", "9.9")


def report(folder: Path, *cases: str) -> Path:
    file = folder / "report.xml"
    file.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return file


def test_what_passed_is_counted(tmp_path: Path) -> None:
    result = counted(CELL, report(tmp_path, '<testcase name="a"/>', '<testcase name="b"/>'), 4.4)
    assert line(result) == "| Kafka | 9.9 | 2 | 0 | 4 |  |"
    assert not result.bad


@pytest.mark.parametrize("how", ["failure", "error", "skipped"])
def test_what_failed_or_was_skipped_is_bad_and_named(tmp_path: Path, how: str) -> None:
    result = counted(
        CELL, report(tmp_path, '<testcase name="a"/>', f'<testcase name="b"><{how}/></testcase>'), 1.0
    )
    assert line(result) == "| Kafka | 9.9 | 1 | 1 | 1 | failed: b |"
    assert result.bad


def test_a_run_without_a_test_has_failed(tmp_path: Path) -> None:
    assert counted(CELL, report(tmp_path), 1.0).bad


def test_what_may_fail_is_not_bad(tmp_path: Path) -> None:
    preview = Cell("x", "Kafka", "9.9", may_fail="a preview")
    result = counted(preview, report(tmp_path, '<testcase name="b"><error/></testcase>'), 1.0)
    assert not result.bad
    assert line(result).endswith("| failed: b; may fail: a preview |")


def test_what_cannot_be_had_is_said() -> None:
    assert line(Result(CELL, reason="no such version")) == "| Kafka | 9.9 | | |  | not run: no such version |"
    with pytest.raises(NotToBeHad, match=r"install postgresql-9$"):
        programs(9)


def test_a_python_is_found_by_running_it() -> None:
    this = ".".join(platform.python_version_tuple()[:2])
    python = found(this)
    assert python is not None
    assert Path(python).exists()
    assert found("3.99") is None


def test_what_uv_says_is_one_line_that_is_not_long() -> None:
    assert (
        reason("  No solution found:\n  ╰─▶ Because a\n      is b\n") == "No solution found: Because a is b"
    )
    assert len(reason("word " * 1000)) < 210


def test_the_page_has_its_day_and_each_line() -> None:
    text = page([Result(CELL, passed=3)], date(2026, 11, 30))
    assert "on 2026-11-30." in text
    assert line(Result(CELL, passed=3)) in text


def test_a_cell_that_is_none_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kafka-1.0"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("compat: kafka-1.0 is none of kafka-3.9, ")
    assert said.count("\n") == 1


def test_there_is_a_cell_for_all_that_is_tested_elsewhere() -> None:
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    matrix = jobs()["services"]["strategy"]["matrix"]
    assert {f"python-{python}" for python in jobs()["tests"]["strategy"]["matrix"]["python"]} <= set(names)
    assert {f"postgres-{major}" for major in matrix["postgres"]} <= set(names)


def test_what_is_run_is_there() -> None:
    assert [test for test in TESTS if not (HOME / test).exists()] == []
