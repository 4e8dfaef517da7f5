"""The results as a table of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from compatibility.running import TESTS, Result


def line(result: Result) -> str:
    """One line of the table."""
    cell = result.cell
    ran = result.passed + result.failed > 0
    counts = f"{result.passed} | {result.failed} | {result.seconds:.0f}" if ran else "| | "
    notes = "; ".join(filter(None, _notes(result)))
    return f"| {cell.part} | {cell.version} | {counts} | {notes.replace('|', '/')} |"


def _notes(result: Result) -> Iterator[str]:
    cell = result.cell
    if result.failed:
        yield f"failed: {result.reason}"
    elif result.reason:
        yield f"not run: {result.reason}"
    yield cell.without and f"without {cell.without}"
    yield cell.may_fail and f"may fail: {cell.may_fail}"


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
