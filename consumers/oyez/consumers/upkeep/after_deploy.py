"""After a deploy: what is parked waits for what its handler requires today; unregistered handlers hold nobody up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from ..admin.completion import Completing
from ..database import after_deploy, delivery_moves, notices, prerequisites, waiting
from ..database.engine import Database
from ..database.tables import dead, parked
from ..handlers.application import Group
from ..handlers.recorded_handlers import see, unregistered

STEP = 500  # rows at a step
IDLE = 60.0  # s; after the end, until it begins anew


class NotRequired:
    """Makes rows due that wait for a prerequisite which their handlers do not require any more: they are checked anew.

    What a handler itself has asked for, by `NotReady`, it still waits for.
    """

    idle = IDLE

    def __init__(self, group: Group) -> None:
        self._group = group
        self._required = {(one.name, signal) for one in group.handlers for signal in one.requires}

    def step(self, database: Database, now: float) -> bool:
        """The next ones; False if there are no more."""
        return database.repeat(lambda db: self._release(db, now)) == STEP

    def _release(self, db: Connection, now: float) -> int:
        group = self._group
        ids: list[int] = []
        for kind in waiting.kinds(db, group.name, list(group.by_name)):
            if not kind.raised and (kind.handler, kind.signal) not in self._required:
                ids += waiting.lock_some(db, group.name, kind, STEP - len(ids))
        if ids:
            delivery_moves.make_due(db, ids, now)
            notices.notify(db, {group.name})
        return len(ids)


class Unregistered:
    """Says that this version's handlers are at work, and meets the prerequisites that only deliveries of handlers
    which are not registered any more stand in the way of. Those deliveries stay where they are.

    Every delivery is looked at once: later on, whoever finishes an event does not ask for such handlers.
    """

    idle = IDLE

    def __init__(self, group: Group) -> None:
        self._group = group
        self._completing = Completing(group.application)
        self._signals = [signal for signal, names in group.completing.items() if names]
        self._done: frozenset[str] = frozenset()
        self._tables: Sequence[Table] = (parked, dead)
        self._after = 0

    def step(self, database: Database, now: float) -> bool:
        """Look at the next deliveries; False when there are none, or none new."""
        group = self._group
        database.repeat(lambda db: see(db, group.app, group.handlers, now))
        with database.reading() as db:
            names = unregistered(db, group.application, now)
            self._done &= names  # one that was back meanwhile may have left more
            if names <= self._done or not self._signals:
                return False
            rows = after_deploy.deliveries_of(
                db, self._tables[0], group.app, sorted(names), self._signals, self._after, STEP
            )
        if rows:
            database.repeat(lambda db: self._complete(db, rows, now))
        return self._go_on(rows, names)

    def _go_on(self, rows: Sequence[Any], names: frozenset[str]) -> bool:
        if len(rows) == STEP:
            self._after = rows[-1].id
            return True
        self._tables, self._after = (self._tables[1], self._tables[0]), 0
        if self._tables[0] is parked:
            self._done = names
        return self._tables[0] is not parked

    def _complete(self, db: Connection, rows: Iterable[Any], now: float) -> None:
        asked = {
            prerequisite for row in rows if (prerequisite := self._completing.prerequisite(row)) is not None
        }
        met = prerequisites.lock(db, self._group.app, asked, now)
        _, meeting = self._completing.complete(db, rows, met, now)
        notices.notify(db, {*meeting.released, *meeting.revived})
