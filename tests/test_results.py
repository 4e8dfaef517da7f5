"""What is kept of benchmarks, and what README quotes of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HOME = Path(__file__).parents[1]
ROW = {"work": "announce", "beside": "by hand", "ours": "2/s", "theirs": "1/s", "goal": "1.4", "is_met": True}
RESULT: dict[str, Any] = {
    "taken": "2026-11-30T01:02Z",
    "command": 'make bench ARGS="--save"',
    "events": 100_000,
    "turns": 5,
    "commit": "abc1234",
    "versions": {"Python": "3.11.7", "pydantic": "2.14.4"},
    "machine": {"cores": 2, "kernel": "6.1"},
    "rows": [
        {"part": "announce", **ROW, "found": "2.00", "spread": "1.80 to 2.10"},
        {"part": "mail", **ROW, "work": "a mail", "found": "1.00", "spread": "1.00 to 1.00"},
    ],
}


@pytest.fixture(name="results")
def _results() -> ModuleType:
    spec = importlib.util.spec_from_file_location("results", HOME / "benchmarks" / "results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_is_kept_with_its_table(results: ModuleType, tmp_path: Path) -> None:
    path = results.save(RESULT, tmp_path)
    assert json.loads(path.read_text()) == RESULT
    said = path.with_suffix(".md").read_text()
    assert '- command: `make bench ARGS="--save"`, 100,000 events, medians of 5 turns\n' in said
    assert "- machine: cores 2, kernel 6.1\n" in said
    assert "| announce | by hand | 2/s | 1/s | 2.00 | 1.80 to 2.10 | 1.4 |\n" in said


def test_a_reduced_run_says_so(results: ModuleType) -> None:
    assert "**of reduced size** (300 events instead of 100,000, 5 turns)" in results.document(
        {**RESULT, "events": 300}
    )


def test_the_newest_is_the_last_with_all_that_is_quoted(results: ModuleType, tmp_path: Path) -> None:
    assert results.newest(tmp_path) is None
    rows = [{**RESULT["rows"][0], "part": part} for part in results.QUOTED]
    results.save({**RESULT, "rows": rows}, tmp_path)
    last = results.save({**RESULT, "rows": rows, "taken": "2026-12-01T01:02Z"}, tmp_path)
    results.save({**RESULT, "rows": rows[1:], "taken": "2026-12-02T01:02Z"}, tmp_path)
    assert results.newest(tmp_path) == last


def test_readme_quotes_a_part_of_it(results: ModuleType, tmp_path: Path) -> None:
    path = results.save(RESULT, tmp_path / "benchmarks" / "results")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- figures: older.json -->\nold\n<!-- end of figures -->\nafter\n")
    results.quote(readme, path)
    text = readme.read_text()
    assert text == f"before\n{results.quotation(path)}\nafter\n"
    assert "| announce | by hand |" in text
    assert "a mail" not in text
    assert "(benchmarks/results/2026-11-30T0102Z.md)" in text


def test_readme_has_the_figures_of_the_newest_run(results: ModuleType) -> None:
    assert results.quotation(results.newest()) in (HOME / "README.md").read_text()


def test_each_table_is_that_of_its_figures(results: ModuleType) -> None:
    for path in results.FOLDER.glob("*.json"):
        assert path.with_suffix(".md").read_text() == results.document(json.loads(path.read_text()))
