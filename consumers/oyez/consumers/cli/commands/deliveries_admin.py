"""`oyez retry release|discard` and `oyez dead retry|discard`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer
from sqlalchemy import Table

from ...admin import Decode, Discard, Force, Release, Retry, Tally, overtaken
from ...core.rate_limit import Pace
from ...database.clock import DatabaseClock
from ...database.delivery_filter import Filter
from ...database.tables import dead, parked
from ...execution.execution import Execution
from ...execution.reader import Reader
from ...run.in_place import in_place
from ...settings import ListenSettings
from ..common import output
from ..common.bulk import BULK, BulkOptions
from ..common.bundles import Command, taking
from ..common.confirming import several
from ..common.options import settings_by
from ..common.rates import RATE
from .deliveries_bulk import Action, Chosen, act
from .deliveries_filter import filter_by

Advance = Callable[[int], None]


def _release(chosen: Chosen, advance: Advance) -> Tally:
    return chosen.steps.apply(
        Release(chosen.application, DatabaseClock()), chosen.ids, chosen.wanted, advance
    )


def _force(chosen: Chosen, advance: Advance) -> Tally:
    total = Tally()
    for group in chosen.application.groups.values():
        total.add(in_place(group, chosen.engine, chosen.settings, partial(_force_in, chosen, advance)))
    total.unregistered += max(0, len(chosen.ids) - total.chosen)
    return total


def _force_in(chosen: Chosen, advance: Advance, execution: Execution) -> Tally:
    force = Force(execution, Reader(execution.group), chosen.steps.pacing)
    return force.apply(chosen.wanted, advance)


def _retry(chosen: Chosen, advance: Advance) -> Tally:
    """Deliveries, then the records that could not be decoded: those have no handler."""
    is_any = chosen.wanted.handler is None
    unread = chosen.steps.choose(dead, replace(chosen.wanted, handler="")) if is_any else []
    others = set(unread)
    deliveries = [number for number in chosen.ids if number not in others]
    clock = DatabaseClock()
    retry, decode = Retry(chosen.application, clock), Decode(chosen.application, clock)
    total = chosen.steps.apply(retry, deliveries, chosen.wanted, advance)
    total.add(chosen.steps.apply(decode, unread, chosen.wanted, advance))
    return total


def _overtaken(chosen: Chosen) -> Mapping[str, int]:
    with chosen.engine.connect() as db:
        found = overtaken(db, chosen.wanted)
    if found.parked:
        output.note(f"{several(found.parked)} will go before newer events of their key, which are parked")
    if found.handled:
        output.note(
            f"for up to {several(found.handled)} newer events of their key have been handled since: "
            f"these will be handled after them, out of order"
        )
    return {"newer_parked": found.parked, "newer_handled": found.handled}


def _discard_of(table: Table) -> Action:
    def work(chosen: Chosen, advance: Advance) -> Tally:
        operation = Discard(chosen.application, table, DatabaseClock())
        return chosen.steps.apply(operation, chosen.ids, chosen.wanted, advance)

    counts = {"done": "discarded", "busy": "busy", "released": "released", "revived": "revived"}
    return Action(table, "discard", counts, work)


def _counts(done: str, *others: str) -> Mapping[str, str]:
    """The counts of a `Tally` that are printed; what is ``done`` has a word of its own."""
    return {"done": done, **{name: name for name in (*others, "busy")}}


RELEASE = Action(parked, "release", _counts("released", "behind", "unregistered"), _release)
FORCE = Action(
    parked,
    "run, whatever they require,",
    {"done": "handled", "again": "parked_again", **_counts("handled", "dead", "behind", "unregistered")},
    _force,
)
RETRY = Action(dead, "retry", _counts("retried", "undecodable", "unregistered"), _retry, _overtaken)


DISCARD_PARKED = _discard_of(parked)
DISCARD_DEAD = _discard_of(dead)


def _command(action: Action, text: str) -> Command:
    """A command that does this to what its filter finds."""

    @taking(filter_by(action.table), BULK, settings_by("app", "database"))
    def command(
        *,
        wanted: Filter,
        options: BulkOptions,
        settings: ListenSettings,
    ) -> None:
        act(action, wanted, options, settings)

    command.__doc__ = text
    return command


@taking(filter_by(parked), BULK, RATE, settings_by("app", "database"))
def retry_release(
    *,
    wanted: Filter,
    options: BulkOptions,
    force: Annotated[
        bool, typer.Option("--force", help="Run them here and now, as if all that they require were met.")
    ] = False,
    pace: Pace,
    settings: ListenSettings,
) -> None:
    """Make parked deliveries due now. The next worker or sweep checks again what they require."""
    act(FORCE if force else RELEASE, wanted, options, settings, pace)


retry_discard = _command(
    DISCARD_PARKED,
    "Delete parked deliveries: they will never be handled. What waited for their events alone is released.",
)


@taking(filter_by(dead), BULK, RATE, settings_by("app", "database"))
def dead_retry(
    *,
    wanted: Filter,
    options: BulkOptions,
    pace: Pace,
    settings: ListenSettings,
) -> None:
    """Put dead letters back into the retry table, where they were. Records are decoded again."""
    act(RETRY, wanted, options, settings, pace)


dead_discard = _command(
    DISCARD_DEAD,
    "Delete dead letters: they will never be handled. What waited for their events alone is released.",
)
