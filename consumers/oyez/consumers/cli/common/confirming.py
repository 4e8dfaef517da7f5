"""Before something is done to many deliveries: how many are they, and is it meant? While it is done: how far is it?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ...core.counted import several
from . import output
from .errors import UsageProblem
from .exits import FAILED

__all__ = ["confirm", "progress", "several"]


def confirm(question: str, *, yes: bool) -> None:
    """Return if it is meant. Raises `UsageProblem` where nobody can be asked, and ends the command on a no."""
    if yes:
        return
    if not (output.is_terminal() and sys.stdin.isatty()):
        raise UsageProblem(f"{question} Give --yes to do it, or --dry-run to see how many they are")
    if not typer.confirm(question, err=True):
        output.note("nothing was changed")
        raise typer.Exit(FAILED)


class _Rate(ProgressColumn):
    """How many a second, once that is known."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.0f}/s")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how many of ``total`` are settled, how fast, and for how long it will go on; the function is
    told how many more are. None: how many there are is not known yet."""
    shown = output.is_terminal() and sys.stderr.isatty()
    text = TextColumn("{task.description}")
    columns: tuple[ProgressColumn, ...] = (text, MofNCompleteColumn(), _Rate())
    if total is not None:
        columns = (text, BarColumn(20), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
