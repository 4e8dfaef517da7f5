"""The results as a table of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from compatibility.running import TESTS, Result


def line(result: Result) -> str:
    """One line of the table."""
    cell = result.cell
    ran = result.passed + result.failed > 0
    counts = f"{result.passed} | {result.failed} | {result.seconds:.0f}" if ran else "| | "
    notes = "; ".join(
        note for note in (_outcome(result), cell.may_fail and f"may fail: {cell.may_fail}") if note
    )
    return f"| {cell.part} | {cell.version} | {counts} | {notes.replace('|', '/')} |"


def _outcome(result: Result) -> str:
    if result.failed:
        return f"failed: {result.reason}"
    return f"not run: {result.reason}" if result.reason else ""


def table(results: Sequence[Result]) -> str:
    """All results, in their order."""
    head = "| part | version | passed | failed | s | |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"{line(result)}\n" for result in results)


def page(results: Sequence[Result], day: date) -> str:
    """The page docs/compatibility.md."""
    tests = "\n".join(f"- `{test}`" for test in TESTS)
    return f"""# What Oyez runs with

Written by `make compat` on {day.isoformat()}. One part is another at a time, all else is as the project has it.
*Not run* says that the machine could not have the version. Tests that were skipped count as failed.

{table(results)}
The same tests ran in each line:

{tests}
"""
