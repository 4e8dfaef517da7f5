"""A bar on stderr's terminal, drawn by rich."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Done(ProgressColumn):
    """How many there were so far, of nobody knows how many."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:.0f}" if task.completed else "")


class _Rate(ProgressColumn):
    """How many a second, once that is known."""

    def render(self, task: Task) -> Text:
        return Text("" if not task.speed else f"{task.speed:.0f}/s")


@contextmanager
def bar(what: str, done: int, total: int | None, since: float) -> Iterator[Callable[[str, int], None]]:
    """Shows how much of ``total`` is done, until it is left. What it began with, ``since`` seconds ago, was nothing."""
    begin = (SpinnerColumn(), TextColumn("{task.description}"))
    columns: tuple[ProgressColumn, ...] = (*begin, _Done(), _Rate(), TimeElapsedColumn())
    if total is not None:
        columns = (*begin, BarColumn(20), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    console = Console(stderr=True)
    began = time.monotonic() - since
    drawn = Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stdout=False,  # others redirect it too, and undo that in an order of their own
        get_time=lambda: time.monotonic() - began,  # what is logged to stderr meanwhile stands above it
    )
    task = drawn.add_task(what, total=total)
    drawn.tasks[0].start_time = 0.0
    drawn.update(task, completed=done)
    with drawn:
        console.show_cursor(True)  # who is terminated leaves the terminal as it is
        yield lambda what, done: drawn.update(task, description=what, completed=done)
