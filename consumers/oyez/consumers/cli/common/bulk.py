"""What all commands have in common that do something to all rows that a filter finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from ...admin import Tally
from ...core.counted import several
from . import output
from .bundles import Bundle
from .confirming import confirm
from .exits import FAILED
from .options import Json
from .progress import progress

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Needed where nobody can be asked.")]

Work = Callable[[Callable[[int], None]], Tally]
"""Does it, and tells the function how many more rows are settled."""


@dataclass(frozen=True)
class BulkOptions:
    """How it is to be done: only counted, without asking, and printed as JSON."""

    dry_run: bool
    yes: bool
    as_json: bool


def _bulk_options(_context: typer.Context, *, dry_run: bool, yes: bool, as_json: bool) -> BulkOptions:
    return BulkOptions(dry_run, yes, as_json)


BULK = Bundle("options", {"dry_run": DryRun, "yes": Yes, "as_json": Json}, _bulk_options)
"""A command gets `BulkOptions`, as ``options``."""


MORE = "more may have waited for that than are counted, or died of it: workers and sweeps release them, some at a time"
"""Of what has been met, where only so many are released at once."""


def apply(verb: str, ids: Sequence[int], options: BulkOptions, work: Work, noun: str = "delivery") -> Tally:
    """Ask whether it is meant, and do it; nothing on a dry run, or where nothing was found."""
    if options.dry_run or not ids:
        return Tally()
    confirm(f"{verb} {several(len(ids), noun)}?", yes=options.yes)
    with progress(verb, len(ids), hidden=options.as_json) as advance, output.aside():
        return work(advance)


def end_if_busy(tally: Tally, noun: str = "delivery") -> None:
    """End the command with exit code 1 if something was left that others had in their hands."""
    if tally.busy:
        output.note(
            f"{several(tally.busy, noun)} were in the hands of workers all the time; run the command again"
        )
        raise typer.Exit(FAILED)
