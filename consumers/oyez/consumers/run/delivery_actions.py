"""What operators do to all deliveries that a filter finds: the same for commands and for pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table

from ..admin import Decode, Discard, Force, Release, Retry, Steps, Tally, overtaken
from ..core.counted import several
from ..database.clock import Clock, DatabaseClock
from ..database.delivery_filter import Filter
from ..database.tables import dead, parked
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..handlers.application import Application
from ..settings import ListenSettings
from .in_place import in_place

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Chosen:
    """What is worked on: the application's deliveries with these ids, which the filter finds."""

    application: Application
    settings: ListenSettings
    engine: Engine
    steps: Steps
    wanted: Filter
    ids: Sequence[int]
    clock: Clock = field(default_factory=DatabaseClock)


class Seen(NamedTuple):
    """What is found before anything is done: counts by name, and what is to be said of it, a line each."""

    counts: Mapping[str, int]
    warnings: Sequence[str]


Work = Callable[[Chosen, Advance], Tally]
Look = Callable[[Connection, Filter], Seen]


@dataclass(frozen=True)
class Action:
    """``verb`` says what is done; ``counts`` names the counts of a `Tally` that are told, by their fields. ``look``
    says what is found before anything is done."""

    table: Table
    verb: str
    counts: Mapping[str, str]
    work: Work
    look: Look = lambda _db, _wanted: Seen({}, ())


def _release(chosen: Chosen, advance: Advance) -> Tally:
    return chosen.steps.apply(Release(chosen.application, chosen.clock), chosen.ids, chosen.wanted, advance)


def _force(chosen: Chosen, advance: Advance) -> Tally:
    """In each group by itself. What is in another group than the application's is left."""
    total, there = Tally(), set(chosen.steps.choose(parked, chosen.wanted)).intersection(chosen.ids)
    for group in chosen.application.groups.values():
        total.add(in_place(group, chosen.engine, chosen.settings, partial(_force_in, chosen, there, advance)))
    total.unregistered += max(0, len(there) - total.chosen)
    return total


def _force_in(chosen: Chosen, there: AbstractSet[int], advance: Advance, execution: Execution) -> Tally:
    force = Force(execution, Reader(execution.group), chosen.steps.pacing)
    return force.apply(there, chosen.wanted, advance)


def _retry(chosen: Chosen, advance: Advance) -> Tally:
    """Deliveries, then the records that could not be decoded: those have no handler."""
    given = set(chosen.ids)
    found = chosen.steps.choose(dead, replace(chosen.wanted, handler="")) if not chosen.wanted.handler else []
    unread = [number for number in found if number in given]
    others = set(unread)
    deliveries = [number for number in chosen.ids if number not in others]
    retry, decode = Retry(chosen.application, chosen.clock), Decode(chosen.application, chosen.clock)
    total = chosen.steps.apply(retry, deliveries, chosen.wanted, advance)
    total.add(chosen.steps.apply(decode, unread, chosen.wanted, advance))
    return total


def _overtaken(db: Connection, wanted: Filter) -> Seen:
    found = overtaken(db, wanted)
    warnings = []
    if found.parked:
        warnings.append(f"{several(found.parked)} will go before newer events of their key, which are parked")
    if found.handled:
        warnings.append(
            f"newer events have been handled since, and of which keys is not kept: at most {several(found.handled)} "
            f"will be handled after a newer event of their own key, out of order; it is not known which"
        )
    counts = {"newer_parked": found.parked, "newer_handled": found.handled}
    if found.unknown:
        counts["newer_not_known"] = found.unknown
        warnings.append(
            f"of {several(found.unknown)} it is not known whether newer events of their key have been handled since: "
            f"to find out would take too long"
        )
    return Seen(counts, warnings)


def _discard_of(table: Table) -> Action:
    def work(chosen: Chosen, advance: Advance) -> Tally:
        operation = Discard(chosen.application, table, chosen.clock)
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
