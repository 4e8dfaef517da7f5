"""An import on the screen: live on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.live import Live
from rich.table import Table

from visits.driver import Watch
from visits.progress import Progress

LINE_EVERY = 2.0  # seconds


@contextmanager
def live(console: Console) -> Iterator[Watch]:
    """What to call with every look: keeps a table on the screen up to date."""
    with Live(table(Progress()), console=console, refresh_per_second=10) as shown:
        yield lambda progress: shown.update(table(progress))


def shown(console: Console) -> AbstractContextManager[Watch]:
    """A live table on a terminal, lines elsewhere."""
    return live(console) if console.is_terminal else nullcontext(lines(console, time.monotonic))


def on_terminal(console: Console) -> AbstractContextManager[Watch]:
    """A live table on a terminal, nothing elsewhere."""
    return live(console) if console.is_terminal else nullcontext(silent)


def lines(console: Console, clock: Callable[[], float]) -> Watch:
    """Print the progress every two seconds, and when all that was announced is handled; nothing twice."""
    at, last = -LINE_EVERY, ""

    def watch(progress: Progress) -> None:
        nonlocal at, last
        if text(progress) != last and (clock() - at >= LINE_EVERY or progress.handled == progress.announced):
            at, last = clock(), text(progress)
            console.print(last, highlight=False, soft_wrap=True)

    return watch


def silent(progress: Progress) -> None:
    """Show nothing."""


def text(progress: Progress) -> str:
    """The progress in one line."""
    return ", ".join(f"{name} {value}" for name, value in figures(progress).items())


def table(progress: Progress) -> Table:
    """The progress as a table."""
    made = Table(*figures(progress), title="visits")
    made.add_row(*(f"{value:,}" for value in figures(progress).values()))
    return made


def figures(progress: Progress) -> dict[str, int]:
    """What is shown."""
    names = ("announced", "handled", "parked", "released", "dead", "lag")
    return {name: getattr(progress, name) for name in names}
