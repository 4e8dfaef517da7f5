"""`oyez status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any, NamedTuple

import typer
from sqlalchemy import Engine

from ...core.counted import measured
from ...core.stop_signals import Stop
from ...database import Database
from ...database.misplaced import Misplaced
from ...handlers.application import Application
from ...logs.backend import LogBackend
from ...logs.lookup import find_log_backend
from ...reports import GroupPause, GroupState, LaneQueue, PartitionState
from ...run.status import Status, status_of
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.errors import Unreachable, UsageProblem
from ..common.options import Json, NoLag, settings_by
from ..common.stopping import exit_code

UNKNOWN = "unknown"


class PartitionRow(NamedTuple):
    """A partition of a group."""

    group: str
    state: PartitionState
    unit: str | None


class LanesRow(NamedTuple):
    """What waits for a free lane of a handler."""

    group: str
    queue: LaneQueue


class MisplacedRow(NamedTuple):
    """An event that is where its key does not belong."""

    group: str
    state: Misplaced


GROUPS = (
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("promise", lambda row: row.promise),
    output.Column("lag", lambda row: measured(row.lag, row.lag_unit)),
    output.Column("waiting", lambda row: row.parked.waiting),
    output.Column("behind", lambda row: row.parked.behind),
    output.Column("due", lambda row: row.parked.due),
    output.Column("of it paused", lambda row: row.parked.paused, rare=True),
    output.Column("for a lane", lambda row: row.parked.for_lane, rare=True),
    output.Column("in a lane", lambda row: row.parked.in_lane, rare=True),
    output.Column("oldest wait", lambda row: row.oldest_wait),
    output.Column("dead", lambda row: row.dead),
    output.Column("handler unregistered", lambda row: row.unregistered, rare=True),
    output.Column("offsets kept", lambda row: row.offsets_kept, rare=True),
)
PARTITIONS = (
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("topic", lambda row: row.state.topic, whole=True),
    output.Column("partition", lambda row: row.state.partition),
    output.Column("position", lambda row: _position(row.state)),
    output.Column("end", lambda row: _known(row.state.end)),
    output.Column("lag", lambda row: measured(row.state.lag, row.unit)),
    output.Column("worker", lambda row: row.state.owner),
    output.Column("halted since", lambda row: row.state.halted_at, rare=True),
    output.Column("halted", lambda row: row.state.halted, brief=True, rare=True),
    output.Column("trouble", lambda row: row.state.trouble, brief=True, rare=True),
)

PAUSES = (
    output.Column("paused group", lambda row: row.group, whole=True),
    output.Column("handler", lambda row: row.handler, whole=True),
    output.Column("key", lambda row: row.key, whole=True),
    output.Column("paused since", lambda row: row.since),
    output.Column("by", lambda row: row.paused_by),
    output.Column("holds up", lambda row: row.held),
    output.Column("reason", lambda row: row.reason, brief=True),
    output.Column("resumed by", lambda row: row.resumed_by, whole=True),
)
LANES = (
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("handler", lambda row: row.queue.handler, whole=True),
    output.Column("waiting for a lane", lambda row: row.queue.waiting),
    output.Column("since", lambda row: row.queue.since),
)
MISPLACED = (
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("topic", lambda row: row.state.topic, whole=True),
    output.Column("source of misplaced keys", lambda row: row.state.source, whole=True),
    output.Column("events seen", lambda row: row.state.count),
    output.Column("key", lambda row: row.state.key, whole=True),
    output.Column("partition", lambda row: row.state.partition),
    output.Column("belongs to", lambda row: row.state.belongs),
    output.Column("it chooses partitions", lambda row: row.state.advice),
)


@taking(settings_by("app", "kafka", "topic", "database"))
def status(
    *,
    no_lag: NoLag = False,
    watches: Annotated[
        bool,
        typer.Option("--watch", help="Show it again and again, with how the last hour went, until Ctrl-C."),
    ] = False,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.5, help="With --watch: so often; 2 unless said."),
    ] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show how far each group is, what is parked and why, and what is dead."""
    _check(watches=watches, every=every, as_json=as_json)
    found = application_of(settings)
    probes.database(settings)
    if watches:
        _watch(found, settings, 2.0 if every is None else every, ask=not no_lag)
        return
    stands, why = _status(found, settings, ask=not no_lag)
    if as_json:
        output.json_array({**asdict(state), **stands.places} for state in stands.groups)
    else:
        _show(
            found, stands, None if why else "no group has begun" if no_lag else "the topic does not exist yet"
        )
    if why is not None:
        raise why


def _show(application: Application, stands: Status, empty: str | None) -> None:
    """``empty`` is said where there are no partitions; nothing where the log has not answered, which is said then."""
    _show_places(stands)
    output.line("")
    output.table(stands.groups, GROUPS, empty=f"{application.name} has no groups")
    rows = _partitions(stands)
    if rows or empty is not None:
        output.line("")
        output.table(rows, PARTITIONS, empty=empty or "")
    _show_more(stands)


def _show_places(stands: Status) -> None:
    for name, value in stands.places.items():
        if value is not None:
            output.line(f"{name.replace('_', ' ')}\t{output.shown(value, None)}")


def _show_more(stands: Status) -> None:
    """What is not everyday."""
    states = stands.groups
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


def _watch(application: Application, settings: ListenSettings, every: float, *, ask: bool) -> None:
    from .status_watch import Look, watch  # noqa: PLC0415 # rich is for terminals alone

    stop = Stop()
    with probes.engine_of(settings) as engine:
        watch(Look(application, settings, engine, ask), _show_below, stop, every)
    raise typer.Exit(exit_code(stop.number))


def _partitions(stands: Status) -> list[PartitionRow]:
    return [
        PartitionRow(state.group, one, state.lag_unit) for state in stands.groups for one in state.partitions
    ]


def _show_below(stands: Status) -> None:
    """Of `--watch`: the services and what waits in them to leave, what is in trouble, what is not everyday."""
    output.line("")
    _show_places(stands)
    rows = _partitions(stands)
    wrong = [row for row in rows if row.state.halted or row.state.trouble]
    if wrong:
        output.line("")
        output.table(wrong, PARTITIONS, empty="")
    _show_more(stands)


def _check(*, watches: bool, every: float | None, as_json: bool) -> None:
    """Raises `UsageProblem` for options that do not go together."""
    if every is not None and not watches:
        raise UsageProblem("--every is for --watch")
    if watches and (as_json or not output.is_terminal()):
        raise UsageProblem("--watch draws on a terminal: leave out --json, and write into no file or pipe")


def _status(
    application: Application, settings: ListenSettings, *, ask: bool
) -> tuple[Status, Exception | None]:
    """How it stands, and what is to be raised when that is shown: why the log has not answered."""
    backend = find_log_backend(settings)
    engine = probes.reached(settings)
    try:
        if ask and backend is not None:
            return _asked(application, settings, engine, backend)
        return status_of(application, settings, engine, backend, None), None
    finally:
        engine.dispose()


def _asked(
    application: Application, settings: ListenSettings, engine: Engine, backend: LogBackend
) -> tuple[Status, Exception | None]:
    """A spool that cannot be read is an error at once: it is to be set right, and does not come back by itself."""
    try:
        probes.reached_log(backend)
        return status_of(application, settings, engine, backend, backend.offsets(Database(engine))), None
    except Exception as error:
        from ..common.reporting import is_kafkas, log_away  # noqa: PLC0415 # it knows all services

        if not (isinstance(error, Unreachable) or is_kafkas(error)):
            raise
        why = Unreachable(log_away(error)) if isinstance(error, Unreachable) else error
    stands = status_of(application, settings, engine, backend, None)
    return replace(stands, places={**stands.places, **backend.place}), why


def _position(state: PartitionState) -> Any:
    if state.position is not None:
        return state.position
    return UNKNOWN if state.end is None else "not begun"


def _known(value: int | None) -> Any:
    return UNKNOWN if value is None else value
