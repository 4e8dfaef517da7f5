"""What commands print. Data goes to stdout and everything else to stderr.

A terminal gets tables that fit it, with relative times. Everything else gets one line a row, with tabs between the
cells, ISO times, and nothing cut off; or JSON.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple

from oyez.producers.passwords import without_passwords

from ...core.json_text import json_text as as_json
from ...core.printable import printable

_LETTERS = re.compile(r"[^\x00-\x7f]")
UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


class Column(NamedTuple):
    """A column of a table: its title, and how its cell is got from a row. On a terminal a ``wide`` one is shown only if
    all has room, a ``rare`` one may go where it has nothing, one that is ``whole`` is not folded, and of a ``brief``
    one only the first line is shown."""

    title: str
    cell: Callable[[Any], object]
    wide: bool = False
    whole: bool = False
    brief: bool = False
    rare: bool = False


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def note(text: str) -> None:
    """Say something that is no data."""
    print(f"oyez: {printable(without_passwords(text))}", file=sys.stderr)  # noqa: T201


def line(text: str) -> None:
    """One line of data, at once."""
    print(text, flush=True)  # noqa: T201


def json_text(value: object, *, indent: int | None = None) -> str:
    """JSON that stdout can express."""
    return as_json(value, default=_plain, is_ascii=not is_unicode(), indent=indent)


def json_line(text: str) -> None:
    """A line of data that is JSON, as it is, or with letters written in JSON's way where stdout cannot express them."""
    line(text if is_unicode() else _LETTERS.sub(lambda found: json.dumps(found[0])[1:-1], text))


def is_unicode() -> bool:
    """Whether stdout can express any letter."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def json_array(rows: Iterable[object]) -> None:
    """An array, one element a line, written as its rows come."""
    before = "["
    for row in rows:
        print(f"{before}{json_text(row)}", end="")  # noqa: T201
        before = ",\n "
    line("[]" if before == "[" else "]")


def table(rows: Iterable[Any], columns: Sequence[Column], *, empty: str) -> None:
    """A table; ``empty`` is said on stderr if it has no rows."""
    rest = iter(rows)
    first = next(rest, None)
    if first is None:
        note(empty)
        return
    now = datetime.now(UTC)
    everything = chain([first], rest)
    if is_terminal():
        _on_terminal(everything, columns, now)
        return
    line("\t".join(column.title for column in columns))
    for row in everything:
        print("\t".join(shown(column.cell(row), None) for column in columns))  # noqa: T201


def shown(cell: object, now: datetime | None) -> str:
    """A cell as text, without anything that would break its line; times relative to ``now``, if it is given."""
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return iso(cell) if now is None else relative((cell - now).total_seconds())
    if isinstance(cell, float):
        return f"{cell:.0f} s" if now is None else span(cell)
    if isinstance(cell, list | tuple):
        return ", ".join(str(one) for one in cell) or "-"
    return printable(str(cell))


def iso(moment: datetime) -> str:
    """A time as ISO 8601, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def relative(seconds: float) -> str:
    """A time by its distance from now, in seconds; negative ones are past."""
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def span(seconds: float) -> str:
    """A duration in its largest fitting unit."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "0 s"


@contextmanager
def aside() -> Iterator[None]:
    """What the user's code prints meanwhile goes to stderr: stdout is for the command's data."""
    with redirect_stdout(sys.stderr):
        yield


def as_dict(row: Any) -> dict[str, Any]:
    """A row of a report as it is written in JSON."""
    return asdict(row)


def _on_terminal(rows: Iterable[Any], columns: Sequence[Column], now: datetime) -> None:
    from .terminal_table import Heading, show  # noqa: PLC0415 # rich is for terminals alone

    cells = ([shown(_brief(column, row), now) for column in columns] for row in rows)
    show([Heading(one.title, one.wide, one.whole, one.rare) for one in columns], cells)


def _brief(column: Column, row: Any) -> object:
    cell = column.cell(row)
    return cell.partition("\n")[0] if column.brief and isinstance(cell, str) else cell


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
