"""Before something is done to many deliveries: how many are they, and is it meant? While it is done: how far is it?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

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


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how many of ``total`` are settled; the function is told how many more are."""
    shown = output.is_terminal() and sys.stderr.isatty()
    columns = (TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
