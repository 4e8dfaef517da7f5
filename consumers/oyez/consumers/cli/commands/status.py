"""`oyez status`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from oyez.producers.passwords import shown
from oyez.producers.spool import found_in

from ...database import outbox
from ...database.clock import DatabaseClock
from ...database.dialects.lookup import dialect_of
from ...database.misplaced import Misplaced
from ...handlers.application import Application
from ...logs.backend import LogBackend
from ...logs.lookup import find_log_backend
from ...reports import GroupPause, GroupState, LaneQueue, PartitionState, group_states, state_of
from ...run.topics import topics_of
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.offsets import offsets_in
from ..common.options import Json, NoLag, settings_by

UNKNOWN = "unknown"


class PartitionRow(NamedTuple):
    """A partition of a group."""

    group: str
    state: PartitionState


class LanesRow(NamedTuple):
    """What waits for a free lane of a handler."""

    group: str
    queue: LaneQueue


class MisplacedRow(NamedTuple):
    """An event that is where its key does not belong."""

    group: str
    state: Misplaced


GROUPS = (
    output.Column("group", lambda row: row.group),
    output.Column("promise", lambda row: row.promise),
    output.Column("lag", lambda row: _known(row.lag)),
    output.Column("waiting", lambda row: row.parked.waiting),
    output.Column("behind", lambda row: row.parked.behind),
    output.Column("due", lambda row: row.parked.due),
    output.Column("of it paused", lambda row: row.parked.paused),
    output.Column("for a lane", lambda row: row.parked.for_lane),
    output.Column("in a lane", lambda row: row.parked.in_lane),
    output.Column("oldest wait", lambda row: row.oldest_wait),
    output.Column("dead", lambda row: row.dead),
    output.Column("handler unregistered", lambda row: row.unregistered),
    output.Column("offsets kept", lambda row: row.offsets_kept),
)
PARTITIONS = (
    output.Column("group", lambda row: row.group),
    output.Column("topic", lambda row: row.state.topic),
    output.Column("partition", lambda row: row.state.partition),
    output.Column("position", lambda row: "not begun" if row.state.position is None else row.state.position),
    output.Column("end", lambda row: _known(row.state.end)),
    output.Column("lag", lambda row: _known(row.state.lag)),
    output.Column("worker", lambda row: row.state.owner),
    output.Column("halted since", lambda row: row.state.halted_at),
    output.Column("halted", lambda row: row.state.halted, brief=True),
    output.Column("trouble", lambda row: row.state.trouble, brief=True),
)

PAUSES = (
    output.Column("paused group", lambda row: row.group),
    output.Column("handler", lambda row: row.handler),
    output.Column("key", lambda row: row.key),
    output.Column("paused since", lambda row: row.since),
    output.Column("by", lambda row: row.paused_by),
    output.Column("holds up", lambda row: row.held),
    output.Column("reason", lambda row: row.reason, brief=True),
    output.Column("resumed by", lambda row: row.resumed_by, whole=True),
)
LANES = (
    output.Column("group", lambda row: row.group),
    output.Column("handler", lambda row: row.queue.handler),
    output.Column("waiting for a lane", lambda row: row.queue.waiting),
    output.Column("since", lambda row: row.queue.since),
)
MISPLACED = (
    output.Column("group", lambda row: row.group),
    output.Column("topic", lambda row: row.state.topic),
    output.Column("source of misplaced keys", lambda row: row.state.source),
    output.Column("events seen", lambda row: row.state.count),
    output.Column("key", lambda row: row.state.key, brief=True),
    output.Column("partition", lambda row: row.state.partition),
    output.Column("belongs to", lambda row: row.state.belongs),
    output.Column("it chooses partitions", lambda row: row.state.advice),
)


@taking(settings_by("app", "kafka", "topic", "database"))
def status(
    *,
    no_lag: NoLag = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show how far each group is, what is parked and why, and what is dead."""
    found = application_of(settings)
    probes.database(settings)
    places, states = _states(found, settings, ask=not no_lag)
    if as_json:
        output.json_array({**asdict(state), **places} for state in states)
        return
    for name, value in places.items():
        if value is not None:
            output.line(f"{name.replace('_', ' ')}\t{output.shown(value, None)}")
    output.line("")
    output.table(states, GROUPS, empty=f"{found.name} has no groups")
    output.line("")
    rows = [PartitionRow(state.group, one) for state in states for one in state.partitions]
    output.table(
        rows, PARTITIONS, empty="the topic does not exist yet" if not no_lag else "no group has begun"
    )
    queues = [LanesRow(state.group, one) for state in states for one in state.lanes]
    misplaced = [MisplacedRow(state.group, one) for state in states for one in state.misplaced]
    for found_rows, columns in ((queues, LANES), (_paused(states), PAUSES), (misplaced, MISPLACED)):
        if found_rows:
            output.line("")
            output.table(found_rows, columns, empty="")


def _paused(states: Sequence[GroupState]) -> list[GroupPause]:
    """Each pause once, also one that concerns several groups."""
    held: Counter[GroupPause] = Counter()
    for one in (one for state in states for one in state.paused):
        held[replace(one, held=0)] += one.held
    return [replace(one, held=count) for one, count in held.items()]


def _states(
    application: Application, settings: ListenSettings, *, ask: bool
) -> tuple[Mapping[str, Any], list[GroupState]]:
    backend = find_log_backend(settings)
    engine = probes.reached(settings)
    groups = list(application.groups.values())
    topics = {group.name: topics_of(group, settings) for group in groups}
    try:
        offsets = offsets_in(backend, engine) if ask and backend is not None else None
        with engine.connect() as db:
            journal = dialect_of(db).journal(db)
            clock = DatabaseClock()
            now = clock(db)
            states = group_states(db, groups, topics, offsets, now)
            waiting = _waiting(outbox.state(db), now)
    finally:
        engine.dispose()
    place = {} if offsets is None or backend is None else backend.place
    database = {"database": shown(engine.url), "journal": journal, "clock_skew": round(clock.skew, 3)}
    return {**database, **waiting, **_spooled(backend, settings), **place}, states


def _waiting(found: outbox.Outbox, now: float) -> dict[str, Any]:
    age = None if found.oldest is None else max(0.0, now - found.oldest)
    return {"outbox": found.backlog, "outbox_oldest": age}


def _spooled(backend: LogBackend | None, settings: ListenSettings) -> dict[str, Any]:
    """What waits in the spool to be shipped."""
    buffer = settings.spool if backend is None else backend.buffer
    if buffer is None:
        return {}
    found = [state_of(folder, time.time()) for folder in found_in([buffer], settings.topic)]
    ages = [state.oldest for state in found if state.oldest is not None]
    errors = [state.error for state in found if state.error]
    return {
        "spool_backlog": sum(state.backlog for state in found),
        "spool_oldest": max(ages, default=None),
        "spool_error": "; ".join(errors) or None,
    }


def _known(value: int | None) -> Any:
    return UNKNOWN if value is None else value
