"""`oyez explain`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from ...core.counted import measured
from ...database.clock import DatabaseClock
from ...handlers.application import Application
from ...logs.backend import LogBackend
from ...logs.lookup import find_log_backend
from ...reports import (
    Explanation,
    GroupState,
    Offsets,
    Part,
    TracedPrerequisite,
    after_expiry,
    explain,
    group_states,
    way_out,
)
from ...run.topics import topics_of
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.errors import NotFound, Unreachable
from ..common.offsets import offsets_in
from ..common.options import Json, NoLag, settings_by

States = Mapping[str, GroupState]


@taking(settings_by("app", "kafka", "topic", "database"))
def explains(
    *,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    source: Annotated[str | None, typer.Option("--source", help="Only the event of this source.")] = None,
    no_lag: NoLag = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Say what became of an event: what each of its handlers waits for, and what would release it."""
    found = application_of(settings)
    with probes.engine_of(settings) as engine:
        with engine.connect() as db:
            explained = explain(db, found, event, source, DatabaseClock()(db))
        behind = {name for one in explained for name in one.behind} if explained else set(found.groups)
        states = _states(engine, found, settings, behind, ask=not no_lag)
    _print(explained, event, states, as_json=as_json)
    if not explained:
        raise NotFound(
            f"no group of {found.name} has taken {event}, or it was forgotten; "
            f"it was not announced, or is not read yet, or none of them handles its signal"
        )


def _states(
    engine: Engine, application: Application, settings: ListenSettings, names: Iterable[str], *, ask: bool
) -> States:
    """How far these groups are. The log is asked only for them, and only where there is one."""
    groups = [group for group in application.groups.values() if group.name in set(names)]
    if not groups:
        return {}
    backend = find_log_backend(settings) if ask else None
    offsets = None if backend is None else _offsets(backend, engine)
    topics = {group.name: topics_of(group, settings) for group in groups}
    with engine.connect() as db:
        states = group_states(db, groups, topics, offsets, DatabaseClock()(db))
        return {one.group: one for one in states if one.group in topics}


def _offsets(backend: LogBackend, engine: Engine) -> Offsets | None:
    try:
        return offsets_in(backend, engine)
    except Unreachable as error:
        output.note(f"{error}; how much is left to read is not known")
        return None


def _print(explained: list[Explanation], event: str, states: States, *, as_json: bool) -> None:
    if as_json:
        known = {"event_id": event, "parts": [], "groups": [asdict(one) for one in states.values()]}
        unknown = {field.name: None for field in fields(Explanation)} | known
        output.json_array([_as_dict(one, states) for one in explained] or [unknown])
        return
    for one in explained:
        for line in _lines(one, states):
            output.line(line)
    if not explained:
        for state in states.values():
            for line in _positions(state):
                output.line(line)


def _as_dict(one: Explanation, states: States) -> dict[str, Any]:
    parts = [
        {**asdict(part), "released_by": way_out(one, part), "followers": after_expiry(one, part)}
        for part in one.parts
    ]
    return {**asdict(one), "parts": parts, "groups": [asdict(states[name]) for name in sorted(one.behind)]}


def _lines(one: Explanation, states: States) -> Iterator[str]:
    for name in ("event_id", "source", "signal", "key", "subject"):
        if getattr(one, name):
            yield f"{name.removesuffix('_id')}\t{output.shown(getattr(one, name), None)}"
    if one.meets is not None:
        yield f"meets\t{_prerequisite(one.meets)}: {'met' if one.meets.met else 'not met'}"
        for handler, count in one.waiting_for_it.items():
            yield f"\t{count} of {handler} waiting for it"
        for handler, count in one.died_waiting.items():
            yield f"\t{count} of {handler} died of waiting for it"
    for part in one.parts:
        yield ""
        yield from _part(one, part, states)


def _part(one: Explanation, part: Part, states: States) -> Iterator[str]:
    yield f"{part.handler or 'handlers'} ({part.group}): {_state(part)}"
    if part.reason:
        yield f"  reason\t{output.shown(part.reason, None)}"
    if part.due_at is not None:
        yield f"  due\t{_when(part.due_at)}"
    yield from _paused(part)
    yield from _lane(part)
    if part.waits_for is not None:
        yield from _waits(part.waits_for, states)
    if part.first is not None:
        first = part.first
        yield f"  behind\t{first.event_id} of {first.source}, which is {first.state} since {_when(first.since)}"
    yield from _tried(part)
    if part.behind_it:
        yield f"  behind it\t{part.behind_it} of the key {output.shown(one.key, None)}"
    if part.state == "not read":
        yield from (f"  {line}" for line in _positions(states[part.group]))
    for title, said in (("followers", after_expiry(one, part)), ("released by", way_out(one, part))):
        if said is not None:
            yield f"  {title}\t{output.shown(said, None)}"


def _state(part: Part) -> str:
    state = f"{part.state}, but paused" if part.state == "due" and part.paused else part.state
    if part.since is None:
        return state
    return f"{state}{', taken' if state == 'done' else ' since'} {_when(part.since)}"


def _tried(part: Part) -> Iterator[str]:
    if part.attempts:
        yield f"  attempts\t{part.attempts}"
    if part.error:
        yield f"  error\t{output.shown(part.error.partition(chr(10))[0], None)}"


def _paused(part: Part) -> Iterator[str]:
    if part.paused is not None:
        why = f": {part.paused.reason}" if part.paused.reason else ""
        by = output.shown(f"by {part.paused.paused_by}{why}", None)
        yield f"  paused\t{by}, since {_when(part.paused.since)}"


def _lane(part: Part) -> Iterator[str]:
    if part.lane == "waits":
        yield f"  waits for\ta free lane; {part.due_before} of {part.handler} are due before it"
    elif part.lane == "begun":
        yield "  lane\tit is in one, or about to be"


def _waits(prerequisite: TracedPrerequisite, states: States) -> Iterator[str]:
    yield f"  waits for\t{_prerequisite(prerequisite)}, which is {'met' if prerequisite.met else 'not met'}"
    for delivery in prerequisite.in_the_way:
        its = f"its event {delivery.event_id} of {delivery.source}"
        yield f"  \t{its} is {delivery.state} for {delivery.handler} since {_when(delivery.since)}"
    if prerequisite.is_unseen:
        yield "  \tno such event has been seen"
        for group in prerequisite.groups:
            yield from (f"  \t{line}" for line in _positions(states[group]))


def _positions(state: GroupState) -> Iterator[str]:
    if not state.partitions:
        yield f"{state.group}: has read nothing yet"
    for at in state.partitions:
        end = "" if at.end is None else f" of {at.end}, {measured(at.lag, state.lag_unit)} to go"
        unread = "not begun" if at.end is not None else "read as far as its log knows"
        read = unread if at.position is None else f"read up to {at.position}"
        yield f"{state.group}: {at.topic} {at.partition} {read}{end}"


def _prerequisite(prerequisite: TracedPrerequisite) -> str:
    return output.shown(f"{prerequisite.signal} {prerequisite.subject!r}", None)


def _when(moment: datetime) -> str:
    return output.shown(moment, datetime.now(UTC) if output.is_terminal() else None)
