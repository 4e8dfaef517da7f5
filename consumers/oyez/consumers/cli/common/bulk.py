"""What all commands have in common that do something to all deliveries that a filter finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, Table

from ...admin import Steps, Tally
from ...database import Database as Transactions
from ...database.delivery_filter import Filter
from ...handlers.application import Application
from ...settings import ListenSettings
from . import output, probes
from .application import application_of
from .confirming import confirm, progress, several
from .exits import FAILED

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many they are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Needed off a terminal.")]
MOST_PREREQUISITES = 20


@dataclass(frozen=True)
class Asked:
    """How a command was called."""

    settings: ListenSettings
    wanted: Filter
    dry_run: bool
    yes: bool
    as_json: bool


@dataclass(frozen=True)
class CommandContext:
    """What a command works on: the application's deliveries with these ids, which the filter finds."""

    application: Application
    settings: ListenSettings
    engine: Engine
    steps: Steps
    wanted: Filter
    ids: Sequence[int]


Work = Callable[[CommandContext, Callable[[int], None]], Tally]
Look = Callable[[CommandContext], Mapping[str, int]]


@dataclass(frozen=True)
class Action:
    """``verb`` says what is done; ``counts`` names the counts of a `Tally` that are printed, by their fields.

    ``look`` warns of what is found before anything is done, and returns counts that are printed too.
    """

    table: Table
    verb: str
    counts: Mapping[str, str]
    work: Work
    look: Look = lambda _command_context: {}


def act(action: Action, asked: Asked) -> None:
    """Count, warn, ask, do, and say what was done."""
    application = application_of(asked.settings)
    probes.database(asked.settings)
    engine = probes.reached(asked.settings)
    try:
        steps, wanted = Steps(Transactions(engine)), replace(asked.wanted, app=application.name)
        ids = steps.choose(action.table, wanted)
        command_context = CommandContext(application, asked.settings, engine, steps, wanted, ids)
        seen = {"matched": len(ids), **action.look(command_context)}
        tally = Tally() if asked.dry_run or not ids else _done(action, command_context, yes=asked.yes)
    finally:
        engine.dispose()
    _print(action, seen, tally, asked)
    if tally.busy:
        output.note(f"{several(tally.busy)} were in the hands of workers all the time; run the command again")
        raise typer.Exit(FAILED)


def _done(action: Action, command_context: CommandContext, *, yes: bool) -> Tally:
    confirm(f"{action.verb} {several(len(command_context.ids))}?", yes=yes)
    with progress(action.verb, len(command_context.ids)) as advance, output.aside():
        return action.work(command_context, advance)


def _print(action: Action, seen: Mapping[str, int], tally: Tally, asked: Asked) -> None:
    done = {} if asked.dry_run else {said: getattr(tally, name) for name, said in action.counts.items()}
    row: dict[str, Any] = {**seen, **done}
    if asked.as_json:
        met = [prerequisite._asdict() for prerequisite in tally.met]
        output.json_array([{**row, "met": met} if "released" in action.counts and not asked.dry_run else row])
    else:
        columns = [output.Column(name.replace("_", " "), itemgetter(name)) for name in row]
        output.table([row], columns, empty="")
    _say(tally)


def _say(tally: Tally) -> None:
    for prerequisite in tally.met[:MOST_PREREQUISITES]:
        output.note(
            f"{prerequisite.signal} {prerequisite.subject!r} is met now: nothing else stood in its way"
        )
    if len(tally.met) > MOST_PREREQUISITES:
        output.note(f"{len(tally.met) - MOST_PREREQUISITES} more prerequisites are met now")
    if tally.met:
        output.note(
            f"{several(tally.released)} waited for that and {'is' if tally.released == 1 else 'are'} due now"
        )
    if tally.revived:
        output.note(f"{several(tally.revived)} had died waiting for that: parked again, at the old places")
    if tally.behind:
        output.note(f"{several(tally.behind)} follow an earlier one of their key")
    if tally.unregistered:
        output.note(
            f"{several(tally.unregistered)} of handlers that the application does not have any more were left"
        )
    if tally.undecodable:
        output.note(f"{several(tally.undecodable)} cannot be decoded still; `oyez dead show` says why")
