"""What became of one event, handler by handler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database.delivery_filter import State
from ..database.delivery_row import waits_of
from ..database.due import due_since
from ..database.tables import dead, parked
from ..handlers.application import Application, Group
from . import tracing
from .deliveries import state_of
from .holding import Holding, Lane, handlers_in_lanes
from .pauses import PauseState, pauses_of
from .times import utc
from .tracing import Trace, TracedPrerequisite

Became = State | Literal["done", "dead", "expired", "not read", "not recorded"]


@dataclass(frozen=True, slots=True)
class Part:
    """One handler's part of an event.

    ``handler`` is None where the event is done and cannot be told from those of the group's other signals. ``since`` is
    when it was taken, parked or died, or was found to have expired. ``first`` is the first delivery of its key, for one
    that is behind; ``behind_it`` counts those behind it. ``is_unregistered``: the application has no such handler any
    more. ``paused`` is the pause that holds it up. ``lane`` says how one that is due stands with the lanes of its
    handler, if it has any; ``due_before`` counts those that are due there before one that waits for a lane.
    """

    group: str
    handler: str | None
    state: Became
    since: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    reason: str | None = None
    error: str | None = None
    waits_for: TracedPrerequisite | None = None
    first: Trace | None = None
    behind_it: int = 0
    is_unregistered: bool = False
    paused: PauseState | None = None
    lane: Lane | None = None
    due_before: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """An event of one source. What is not known of one that is done everywhere is None.

    ``meets`` is the prerequisite that it meets, ``waiting_for_it`` and ``died_waiting`` count deliveries by handler
    that wait for that prerequisite, or died of waiting for it.
    """

    source: str
    event_id: str
    signal: str | None
    key: str | None
    subject: str | None
    parts: Sequence[Part]
    meets: TracedPrerequisite | None
    waiting_for_it: Mapping[str, int]
    died_waiting: Mapping[str, int]

    @property
    def behind(self) -> set[str]:
        """The groups of which it matters how far they have read: they have not taken it, or not what it waits for."""
        unread = {part.group for part in self.parts if part.state == "not read"}
        unseen = [part.waits_for for part in self.parts if part.waits_for and part.waits_for.is_unseen]
        return unread | {group for prerequisite in unseen for group in prerequisite.groups}


def explain(
    db: Connection, application: Application, event_id: str, source: str | None, now: float
) -> list[Explanation]:
    """What is known of the event: nothing if no group has taken it. Of several sources if they use the same id.
    ``now`` is in seconds since the epoch."""
    return Explaining(db, application, event_id, now).explanations(source)


class Explaining:
    """Explains one event id."""

    def __init__(self, db: Connection, application: Application, event_id: str, now: float) -> None:
        self._db = db
        self._application = application
        self._handlers = {handler.name: handler for handler in application.handlers}
        self._event_id = event_id
        self._pauses = pauses_of(db, application.name)
        self._holding = Holding(db, handlers_in_lanes(application), now)

    def explanations(self, source: str | None) -> list[Explanation]:
        """One for each source that has such an event."""
        app = self._application.name
        rows = [
            row
            for table in (parked, dead)
            for row in tracing.kept(self._db, table, app, self._event_id, source)
        ]
        taken = {
            group.name: tracing.taken(self._db, group.name, self._event_id, source)
            for group in self._application.groups.values()
            if group.is_exact
        }
        ended = tracing.expired(self._db, app, self._event_id, source)
        sources = {row.source for row in (*rows, *ended)} | {one for found in taken.values() for one in found}
        return [
            self._explanation(
                one,
                [row for row in rows if row.source == one],
                [row for row in ended if row.source == one],
                {group: found[one] for group, found in taken.items() if one in found},
            )
            for one in sorted(sources)
        ]

    def _explanation(
        self, source: str, rows: Sequence[Any], ended: Sequence[Any], taken: Mapping[str, float]
    ) -> Explanation:
        app, some = self._application.name, next(iter((*rows, *ended)), None)
        signal = self._signal(some, taken)
        parts = [self._part(row) for row in rows]
        parts += self._expired(ended, {part.handler for part in parts}, taken)
        told = {part.handler for part in parts}
        read = set(taken) | {part.group for part in parts}
        for group in self._groups(signal, taken):
            others = _others(group, signal, told, taken.get(group.name), is_read=group.name in read)
            parts += [self._unread(part) for part in others]
        prerequisite = None if some is None or not some.subject else Prerequisite(some.signal, some.subject)
        return Explanation(
            source=source,
            event_id=self._event_id,
            signal=signal,
            key=None if some is None else some.key,
            subject=None if some is None else some.subject,
            parts=parts,
            meets=None if prerequisite is None else self._prerequisite(prerequisite),
            waiting_for_it={}
            if prerequisite is None
            else tracing.waiting(self._db, parked, app, prerequisite),
            died_waiting={} if prerequisite is None else tracing.waiting(self._db, dead, app, prerequisite),
        )

    def _signal(self, row: Any, taken: Iterable[str]) -> str | None:
        """The event's signal. Of one that is done only the groups are known: one of theirs, then."""
        if row is not None:
            return row.signal or None
        signals = {name for group in taken for name in self._application.groups[group].by_signal}
        return signals.pop() if len(signals) == 1 else None

    def _groups(self, signal: str | None, taken: Iterable[str]) -> list[Group]:
        if signal is None:
            return [self._application.groups[name] for name in taken]
        return self._application.of_signal(signal)

    def _part(self, row: Any) -> Part:
        """What is parked or dead of it."""
        is_dead = hasattr(row, "died_at")
        waits = waits_of(row)
        state = None if is_dead else state_of(row)
        lane = None if is_dead else self._holding.lane(row)
        return Part(
            group=row.group_name,
            handler=row.handler,
            state=state or "dead",
            since=utc(row.died_at if is_dead else row.parked_at),
            due_at=None if is_dead or row.due_at is None else utc(due_since(row.due_at)),
            attempts=row.attempts,
            reason=row.reason if is_dead else None,
            error=row.error,
            waits_for=None if waits is None else self._prerequisite(waits),
            first=tracing.first_of_key(self._db, row) if state == "behind" else None,
            behind_it=0 if is_dead else tracing.followers(self._db, row),
            is_unregistered=bool(row.handler) and row.handler not in self._handlers,
            paused=None if is_dead else self._holding.pause(row),
            lane=lane,
            due_before=tracing.due_before(self._db, row) if lane == "waits" else 0,
        )

    def _expired(
        self, rows: Sequence[Any], told: set[str | None], taken: Mapping[str, float]
    ) -> Iterable[Part]:
        """What has ended without a run, unless it came again later: then that counts."""
        newest = {row.handler: row for row in rows if row.at >= taken.get(row.group_name, row.at)}
        for row in newest.values():
            if row.handler not in told:
                yield Part(
                    group=row.group_name,
                    handler=row.handler,
                    state="expired",
                    since=utc(row.at),
                    attempts=row.attempts,
                    reason=row.reason,
                    is_unregistered=row.handler not in self._handlers,
                )

    def _unread(self, part: Part) -> Part:
        """What is not read since its whole group is paused."""
        if part.state != "not read":
            return part
        whole = (one for one in self._pauses if one.group == part.group and one.key is None)
        return replace(part, paused=next(whole, None))

    def _prerequisite(self, prerequisite: Prerequisite) -> TracedPrerequisite:
        completing = [
            one
            for one in self._application.handlers
            if one.declaration.name == prerequisite.signal and one.completes
        ]
        names, groups = [one.name for one in completing], sorted({one.group for one in completing})
        return tracing.prerequisite(self._db, self._application.name, prerequisite, names, groups)


def _others(
    group: Group, signal: str | None, told: set[str | None], at: float | None, *, is_read: bool
) -> list[Part]:
    """The handlers of a group of which nothing is parked or dead."""
    names = (
        [None] if signal is None else [one.name for one in group.by_signal[signal] if one.name not in told]
    )
    state: Became = "done" if is_read else "not read" if group.is_exact else "not recorded"
    return [Part(group.name, name, state, since=None if at is None else utc(at)) for name in names]
