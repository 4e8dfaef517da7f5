"""In which line of a TOML file each of its names stands: whoever reads the file itself is not told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator


def lines_of(text: str) -> dict[str, int]:
    """The names at the top of a file that is TOML, each with the line in which it first stands, from 1 on."""
    found: dict[str, int] = {}
    is_in_table = False
    for number, statement in _statements(text):
        is_header = statement.lstrip().startswith("[")
        is_in_table = is_in_table or is_header
        if is_header or not is_in_table:
            for name in tomllib.loads(statement):
                found.setdefault(name, number)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement, which may have several lines, with its first one. What is read so far is TOML by itself exactly
    when a statement is complete."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        lines.append(line)
        statement = "\n".join(lines)
        if _is_complete(statement):
            yield number - len(lines) + 1, statement
            lines = []


def _is_complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except ValueError:
        return False
    return True
