"""How far each group of an application is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, case, func, or_, select

from ..core.counted import Unit
from ..database.misplaced import Misplaced
from ..database.misplaced import read as read_misplaced
from ..database.tables import dead, parked, position
from ..handlers.application import Group
from ..logs.offsets import Ends, Offsets
from .parked_counts import LaneQueue, Parked, ParkedCounts, parked_of
from .pauses import GroupPause, of_group, pauses_of
from .times import utc


@dataclass(frozen=True)
class PartitionState:
    """A partition and how far a group has read it, in offsets.

    ``position`` is None where the group has not begun: its lag is everything. ``end`` and ``lag`` are None where
    the log was not asked, or has no such partition any more; and so is the position of an at-least-once group, which
    the log alone knows. ``halted`` is why the partition is not read, since
    ``halted_at`` (aware, in UTC); ``trouble`` is why it does not get on, though it is read.
    """

    topic: str
    partition: int
    position: int | None
    end: int | None
    lag: int | None
    owner: str | None
    halted: str | None = None
    halted_at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class GroupState:
    """A group: ``lag`` is that of all its partitions, ``oldest_wait`` the seconds since its oldest parked delivery was
    parked; ``unregistered`` counts the parked deliveries of handlers that the application does not have.
    ``offsets_kept`` is for how many seconds the log keeps the group's offsets while no worker runs; None: for ever.
    """

    group: str
    promise: str
    lag: int | None
    parked: ParkedCounts
    oldest_wait: float | None
    dead: int
    partitions: list[PartitionState]
    unregistered: int = 0
    offsets_kept: float | None = None
    lag_unit: Unit | None = None
    """What ``lag`` counts, and the offsets of the partitions: records, or in a spool bytes; None: nobody was asked."""
    misplaced: list[Misplaced] = field(default_factory=list)
    """Sources whose events were found in other partitions than their keys belong to."""
    paused: list[GroupPause] = field(default_factory=list)
    """What of the group is paused: all of it, handlers, or keys."""
    lanes: Sequence[LaneQueue] = ()
    """Its handlers that have deliveries waiting for a free lane."""


def group_states(
    db: Connection,
    groups: Iterable[Group],
    topics: Mapping[str, list[str]],
    offsets: Offsets | None,
    now: float,
) -> list[GroupState]:
    """The state of ``groups``. ``topics`` are those that each group reads, ``now`` is in seconds since the epoch.

    Without ``offsets`` the log is not asked, and the lag is not known.
    """
    found = []
    groups = list(groups)
    buried, left, gone = _dead(db), _left(db, groups), _gone(db, groups)
    elsewhere = read_misplaced(db)
    held = [one for app in {group.app for group in groups} for one in pauses_of(db, app)]
    waits = parked_of(db, groups, held, now)
    # Ends are asked first: what moves on meanwhile can only make a lag look smaller than it was.
    ends = None if offsets is None else offsets.ends({topic for ones in topics.values() for topic in ones})
    kept = None if offsets is None or all(group.is_exact for group in groups) else offsets.kept_for()
    for group in groups:
        ours = waits.get(group.name, Parked())
        paused = of_group(held, group.name, list(group.by_name))
        partitions = _partitions(db, group, topics[group.name], ends, offsets)
        lags = [one.lag for one in partitions if one.lag is not None]
        found.append(
            GroupState(
                group=group.name,
                promise=group.promise,
                lag=None if ends is None else sum(lags),
                parked=ours.counts,
                oldest_wait=None if ours.oldest is None else max(0.0, now - ours.oldest),
                dead=buried.get(group.name, 0),
                partitions=partitions,
                unregistered=left.pop(group.name, 0),
                offsets_kept=None if group.is_exact else kept,
                lag_unit=None if offsets is None else offsets.unit,
                misplaced=elsewhere.get(group.name, []),
                paused=[GroupPause.of(one, ours.held.get(one, 0)) for one in paused],
                lanes=ours.lanes,
            )
        )
    return found + [
        # What was there a moment ago may be gone since.
        _unregistered(name, waits.get(name, Parked()), buried.get(name, 0), left.get(name, 0), now)
        for name in sorted({*left, *gone})
    ]


def _unregistered(name: str, found: Parked, buried: int, count: int, now: float) -> GroupState:
    """A group that the application does not have any more, and that has left something."""
    wait = None if found.oldest is None else max(0.0, now - found.oldest)
    return GroupState(name, "unregistered", None, found.counts, wait, buried, [], count)


def _left(db: Connection, groups: Sequence[Group]) -> dict[str, int]:
    """How many parked deliveries of each group have no handler in the application that the groups are of; 0 of a group
    that it does not have, where they have one."""
    known = [handler.name for group in groups for handler in group.application.handlers]
    is_unknown = parked.c.handler.not_in(known)
    query = (
        select(parked.c.group_name, func.sum(case((is_unknown, 1), else_=0)).label("total"))
        .where(_is_ours(parked, groups), or_(is_unknown, _is_of_none(parked, groups)))
        .group_by(parked.c.group_name)
    )
    return {row.group_name: row.total for row in db.execute(query)}


def _gone(db: Connection, groups: Sequence[Group]) -> set[str]:
    """Groups that the application does not have, and that have dead letters."""
    query = select(dead.c.group_name).where(_is_ours(dead, groups), _is_of_none(dead, groups)).distinct()
    return set(db.execute(query).scalars())


def _is_ours(table: Table, groups: Sequence[Group]) -> ColumnElement[bool]:
    return table.c.app.in_({group.app for group in groups})


def _is_of_none(table: Table, groups: Sequence[Group]) -> ColumnElement[bool]:
    """Whether a row is of a group that its application does not have."""
    return table.c.group_name.not_in({name for group in groups for name in group.application.groups})


def _partitions(
    db: Connection,
    group: Group,
    topics: Iterable[str],
    ends: Sequence[Ends] | None,
    offsets: Offsets | None,
) -> list[PartitionState]:
    rows = _positions(db, group.name)
    if ends is None or offsets is None:
        unasked = [_unasked(row) for row in rows]
        return unasked if group.is_exact else [replace(one, position=None) for one in unasked]
    wanted = set(topics)
    ours = [log for log in ends if log.topic in wanted]
    known = {(row.topic_id, row.partition): row for row in rows}
    committed = {} if group.is_exact else offsets.committed(group.name, ours)
    states = []
    for log in ours:
        for number, (low, high) in sorted(log.partitions.items()):
            row = known.get((log.topic_id, number))
            at = (row.position if row else None) if group.is_exact else committed.get((log.topic, number))
            lag = max(0, high - max(low, at or 0))
            kept = _kept(row) if row else {"owner": None}
            states.append(PartitionState(log.topic, number, at, high, lag, **kept))
    there = {(log.topic_id, number) for log in ours for number in log.partitions}
    # A topic that was made again has another id: why the partitions of the one before are not read is still to be seen.
    return states + [
        _unasked(row) for row in rows if row.halted and (row.topic_id, row.partition) not in there
    ]


def _unasked(row: Any) -> PartitionState:
    return PartitionState(row.topic, row.partition, row.position, None, None, **_kept(row))


def _kept(row: Any) -> dict[str, Any]:
    """What the database says beside the position."""
    since = None if row.halted_at is None else utc(row.halted_at)
    return {"owner": row.owner or None, "halted": row.halted, "halted_at": since, "trouble": row.trouble}


def _positions(db: Connection, group: str) -> list[Any]:
    order = (position.c.topic, position.c.partition)
    return list(db.execute(select(position).where(position.c.group_name == group).order_by(*order)))


def _dead(db: Connection) -> dict[str, int]:
    query = select(dead.c.group_name, func.count().label("total")).group_by(dead.c.group_name)
    return {row.group_name: row.total for row in db.execute(query)}
