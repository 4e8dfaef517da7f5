"""A table as it fits a terminal, drawn by rich, which is loaded for that alone.

What is not needed leaves first, then what is long is folded. Where even that has no room, each record is a block of
lines. Nothing is ever cut: what somebody copies is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED = 16
"""A column is not folded to less."""
GAP = 2
NOTHING = ("-", "0")


class Heading(NamedTuple):
    """A column: its title, and, as a `Column` has them, what may be done to it."""

    title: str
    wide: bool = False
    whole: bool = False
    rare: bool = False


class Sized(NamedTuple):
    """A column with its cells, how wide it would be, and how wide it has to be."""

    heading: Heading
    cells: Sequence[str]
    natural: int
    least: int


def show(headings: Sequence[Heading], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of cells."""
    console = Console()
    columns = [_sized(one, cells) for one, cells in zip(headings, zip(*rows, strict=True), strict=True)]
    chosen = _chosen(columns, console.width)
    if chosen is None:
        _print_blocks(console, columns)
        return
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column, width in zip(chosen, widths(chosen, console.width), strict=True):
        made.add_column(
            column.heading.title, overflow="fold", no_wrap=column.heading.whole, width=width, min_width=width
        )
    for row in zip(*(column.cells for column in chosen), strict=True):
        made.add_row(*map(Text, row))
    console.print(made)


def widths(columns: Sequence[Sized], room: int) -> list[int]:
    """What each column gets of so much room: what it has to have, and of the rest one after the other."""
    found = [column.least for column in columns]
    left = room - _with_gaps(found)
    while left > 0:
        wanting = [at for at, column in enumerate(columns) if found[at] < column.natural][:left]
        if not wanting:
            break
        for at in wanting:
            found[at] += 1
        left -= len(wanting)
    return found


def _chosen(columns: Sequence[Sized], room: int) -> Sequence[Sized] | None:
    """The columns that have room; None if those that are needed have none."""
    usual = [column for column in columns if not column.heading.wide]
    needed = [column for column in usual if not (column.heading.rare and _is_empty(column))]
    for some in (columns, usual, needed):
        if _with_gaps([column.natural for column in some]) <= room:
            return some
    return needed if _with_gaps([column.least for column in needed]) <= room else None


def _sized(heading: Heading, cells: Sequence[str]) -> Sized:
    longest = max(map(cell_len, cells))
    natural = max(longest, cell_len(heading.title))
    word = max(map(cell_len, heading.title.split()))
    return Sized(heading, cells, natural, natural if heading.whole else max(word, min(longest, FOLDED)))


def _is_empty(column: Sized) -> bool:
    return all(cell in NOTHING for cell in column.cells)


def _with_gaps(found: Sequence[int]) -> int:
    return sum(found) + GAP * (len(found) - 1)


def _print_blocks(console: Console, columns: Sequence[Sized]) -> None:
    """Each record with a line for each cell that has something. The terminal folds what is too long, so that it is
    copied as one."""
    indent = max(cell_len(column.heading.title) for column in columns) + 2
    for at in range(len(columns[0].cells)):
        console.print()
        for column in columns:
            if column.cells[at] != "-":
                title = column.heading.title
                named = Text.assemble((title, "bold"), " " * (indent - cell_len(title)), column.cells[at])
                console.print(named, soft_wrap=True)
