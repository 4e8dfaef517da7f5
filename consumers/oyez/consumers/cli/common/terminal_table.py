"""A table on a terminal, drawn by rich, which is loaded for that alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(titles: Mapping[str, bool], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of cells. The titles of the columns say which of these are not folded."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title, is_whole in titles.items():
        made.add_column(title, overflow="fold", no_wrap=is_whole)
    for row in rows:
        made.add_row(*map(Text, row))
    Console().print(made)
