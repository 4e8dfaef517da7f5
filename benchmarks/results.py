"""What a run has found: a file with its figures, the table of it, and the part of README that quotes the newest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
FOLDER = HOME / "benchmarks" / "results"
QUOTED = ("announce", "at-least-once", "exact", "each", "disorder", "latency", "peers")
BEGIN, END = "<!-- figures: {} -->", "<!-- end of figures -->"
FULL = 100_000  # events
COLUMNS = ("work", "beside", "ours", "theirs", "found", "spread", "goal")
HEADS = ("work", "beside", "Oyez", "beside it", "ratio", "of turns", "goal")

Result = Mapping[str, Any]


def save(result: Result, folder: Path = FOLDER) -> Path:
    """Write the figures and their table; returns the file of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['taken'].replace(':', '')}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(document(result))
    return path


def newest(folder: Path = FOLDER) -> Path | None:
    """The last run with all that README quotes; None if there is none yet."""
    return max(
        (path for path in folder.glob("*.json") if is_quoted(json.loads(path.read_text()))), default=None
    )


def is_quoted(result: Result) -> bool:
    """Whether it has all that README quotes."""
    return {row["part"] for row in result["rows"]}.issuperset(QUOTED)


def document(result: Result) -> str:
    """All that was found."""
    about = "\n".join(f"- {name}: {said}" for name, said in _about(result).items())
    return f"# Figures of {result['taken']}\n\n{about}\n\n{table(result['rows'])}"


def quotation(path: Path | None) -> str:
    """What README says of a run."""
    if path is None:
        return f"{BEGIN.format('none')}\n{END}"
    result = json.loads(path.read_text())
    rows = [row for row in result["rows"] if row["part"] in QUOTED]
    all_of_it = path.with_suffix(".md").relative_to(path.parents[2])
    machine = result["machine"]
    return (
        f"{BEGIN.format(path.name)}\n"
        f"From [one run]({all_of_it}) of `{result['command']}`{_reduced(result)}: {machine['cores']} cores, "
        f"Python {result['versions']['Python']}.\n\n"
        f"{table(rows)}{END}"
    )


def quote(readme: Path, path: Path) -> None:
    """Have README quote this run."""
    text = readme.read_text()
    begin, end = text.index(BEGIN.partition("{")[0]), text.index(END) + len(END)
    readme.write_text(text[:begin] + quotation(path) + text[end:])


def table(rows: Sequence[Result]) -> str:
    """In Markdown."""
    lines = [HEADS, ("---",) * len(HEADS), *([str(row.get(name, "")) for name in COLUMNS] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _about(result: Result) -> dict[str, str]:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    machine = ", ".join(f"{name} {said}" for name, said in result["machine"].items())
    return {
        "command": f"`{result['command']}`{_reduced(result)}",
        "commit": result["commit"],
        "versions": versions,
        "machine": machine,
    }


def _reduced(result: Result) -> str:
    events, turns = result["events"], result["turns"]
    if events >= FULL:
        return f", {events:,} events, medians of {turns} turns"
    return f", **of reduced size** ({events:,} events instead of {FULL:,}, {turns} turns)"
