"""`oyez retry release|discard` and `oyez dead retry|discard`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy import Table

from ...admin import Decode, Discard, Force, Release, Retry, Tally, overtaken
from ...database import Database as Transactions
from ...database.delivery_filter import Filter
from ...database.tables import dead, parked
from ...execution.reader import Reader
from ...run.assembly import execution_for
from ..common import output
from ..common.bulk import Action, Asked, CommandContext, DryRun, Yes, act
from ..common.confirming import several
from ..common.options import App, Database, Json, settings_from
from .deliveries_filter import filtered

Advance = Callable[[int], None]


def _release(command_context: CommandContext, advance: Advance) -> Tally:
    return command_context.steps.pull(
        Release(command_context.application, time.time), command_context.ids, command_context.wanted, advance
    )


def _force(command_context: CommandContext, advance: Advance) -> Tally:
    total = Tally()
    database = Transactions(command_context.engine)
    for group in command_context.application.groups.values():
        execution = execution_for(group, database, command_context.settings)
        total.add(Force(execution, Reader(group)).pull(command_context.wanted, advance))
    total.unregistered += max(0, len(command_context.ids) - total.chosen)
    return total


def _retry(command_context: CommandContext, advance: Advance) -> Tally:
    # Whatever has a handler is none of these.
    unread = (
        command_context.steps.choose(dead, replace(command_context.wanted, handler=""))
        if command_context.wanted.handler is None
        else []
    )
    others = set(unread)
    deliveries = [number for number in command_context.ids if number not in others]
    total = command_context.steps.pull(
        Retry(command_context.application, time.time), deliveries, command_context.wanted, advance
    )
    total.add(
        command_context.steps.pull(
            Decode(command_context.application, time.time), unread, command_context.wanted, advance
        )
    )
    return total


def _overtaken(command_context: CommandContext) -> Mapping[str, int]:
    with command_context.engine.connect() as db:
        found = overtaken(db, command_context.wanted)
    if found.parked:
        output.note(f"{several(found.parked)} will go before newer events of their key, which are parked")
    if found.handled:
        output.note(
            f"for up to {several(found.handled)} newer events of their key have been handled since: "
            f"these will be handled after them, out of order"
        )
    return {"newer_parked": found.parked, "newer_handled": found.handled}


def _discard_of(table: Table) -> Action:
    def work(command_context: CommandContext, advance: Advance) -> Tally:
        operation = Discard(command_context.application, table, time.time)
        return command_context.steps.pull(operation, command_context.ids, command_context.wanted, advance)

    counts = {"done": "discarded", "busy": "busy", "released": "released", "revived": "revived"}
    return Action(table, "discard", counts, work)


RELEASED = {"done": "released", "behind": "behind", "unregistered": "unregistered", "busy": "busy"}
RELEASE = Action(parked, "release", RELEASED, _release)
FORCED = {
    "done": "handled",
    "again": "parked_again",
    "dead": "dead",
    "behind": "behind",
    "unregistered": "unregistered",
    "busy": "busy",
}
FORCE = Action(parked, "run, whatever they require,", FORCED, _force)
RETRIED = {"done": "retried", "undecodable": "undecodable", "unregistered": "unregistered", "busy": "busy"}
RETRY = Action(dead, "retry", RETRIED, _retry, _overtaken)
DISCARD_PARKED = _discard_of(parked)
DISCARD_DEAD = _discard_of(dead)


@filtered(parked)
def retry_release(
    context: typer.Context,
    wanted: Filter,
    force: Annotated[
        bool, typer.Option("--force", help="Run them here and now, as if all that they require were met.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    application: App = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Make parked deliveries due now; the next worker or sweep checks again what they require."""
    settings = settings_from(context, app=application, database=database)
    act(FORCE if force else RELEASE, Asked(settings, wanted, dry_run, yes, as_json))


@filtered(parked)
def retry_discard(
    context: typer.Context,
    wanted: Filter,
    dry_run: DryRun = False,
    yes: Yes = False,
    application: App = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Delete parked deliveries: they will never be handled. What waited for their events alone is released."""
    settings = settings_from(context, app=application, database=database)
    act(DISCARD_PARKED, Asked(settings, wanted, dry_run, yes, as_json))


@filtered(dead)
def dead_retry(
    context: typer.Context,
    wanted: Filter,
    dry_run: DryRun = False,
    yes: Yes = False,
    application: App = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Put dead letters back into the retry table, where they were; records are decoded again."""
    settings = settings_from(context, app=application, database=database)
    act(RETRY, Asked(settings, wanted, dry_run, yes, as_json))


@filtered(dead)
def dead_discard(
    context: typer.Context,
    wanted: Filter,
    dry_run: DryRun = False,
    yes: Yes = False,
    application: App = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Delete dead letters: they will never be handled. What waited for their events alone is released."""
    settings = settings_from(context, app=application, database=database)
    act(DISCARD_DEAD, Asked(settings, wanted, dry_run, yes, as_json))
