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
from ..common.bulk import Action, Asked, DryRun, Scene, Yes, act
from ..common.confirming import several
from ..common.options import App, Database, Json, settings_from
from .deliveries_filter import filtered

Advance = Callable[[int], None]


def _release(scene: Scene, advance: Advance) -> Tally:
    return scene.steps.pull(Release(scene.application, time.time), scene.ids, scene.wanted, advance)


def _force(scene: Scene, advance: Advance) -> Tally:
    total = Tally()
    database = Transactions(scene.engine)
    for group in scene.application.groups.values():
        execution = execution_for(group, database, scene.settings)
        total.add(Force(execution, Reader(group)).pull(scene.wanted, advance))
    total.gone += max(0, len(scene.ids) - total.chosen)
    return total


def _retry(scene: Scene, advance: Advance) -> Tally:
    # Whatever has a handler is none of these.
    unread = (
        scene.steps.choose(dead, replace(scene.wanted, handler="")) if scene.wanted.handler is None else []
    )
    others = set(unread)
    shares = [number for number in scene.ids if number not in others]
    total = scene.steps.pull(Retry(scene.application, time.time), shares, scene.wanted, advance)
    total.add(scene.steps.pull(Decode(scene.application, time.time), unread, scene.wanted, advance))
    return total


def _overtaken(scene: Scene) -> Mapping[str, int]:
    with scene.engine.connect() as db:
        found = overtaken(db, scene.wanted)
    if found.parked:
        output.note(f"{several(found.parked)} will go before newer events of their key, which are parked")
    if found.handled:
        output.note(
            f"for up to {several(found.handled)} newer events of their key have been handled since: "
            f"these will be handled after them, out of order"
        )
    return {"newer_parked": found.parked, "newer_handled": found.handled}


def _discard_of(table: Table) -> Action:
    def work(scene: Scene, advance: Advance) -> Tally:
        lever = Discard(scene.application, table, time.time)
        return scene.steps.pull(lever, scene.ids, scene.wanted, advance)

    counts = {"done": "discarded", "busy": "busy", "released": "released", "revived": "revived"}
    return Action(table, "discard", counts, work)


RELEASED = {"done": "released", "behind": "behind", "gone": "gone", "busy": "busy"}
RELEASE = Action(parked, "release", RELEASED, _release)
FORCED = {
    "done": "handled",
    "again": "parked_again",
    "dead": "dead",
    "behind": "behind",
    "gone": "gone",
    "busy": "busy",
}
FORCE = Action(parked, "run, whatever they require,", FORCED, _force)
RETRIED = {"done": "retried", "undecodable": "undecodable", "gone": "gone", "busy": "busy"}
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
    """Make parked shares due now; the next worker or sweep checks again what they require."""
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
    """Delete parked shares: they will never be handled. What waited for their events alone is released."""
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
