"""Before something is done to many deliveries: how many are they, and is it meant?"""

from __future__ import annotations

import sys

import typer

from ...core.counted import several
from . import output
from .errors import UsageProblem
from .exits import FAILED

__all__ = ["confirm", "several"]


def confirm(question: str, *, yes: bool) -> None:
    """Return if it is meant. Raises `UsageProblem` where nobody can be asked, and ends the command on a no."""
    if yes:
        return
    if not (output.is_terminal() and sys.stdin.isatty()):
        raise UsageProblem(f"{question} Give --yes to do it, or --dry-run to see how many they are")
    if not typer.confirm(question, err=True):
        output.note("nothing was changed")
        raise typer.Exit(FAILED)
