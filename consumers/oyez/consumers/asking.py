"""Where the application's own tables are asked: before a batch, for rows that are claimed, and in the sweep."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from oyez.schemas import Pair

from .application import Group
from .database import claims, notices, pairs
from .database.engine import Database
from .database.meeting import meet
from .planning import Work

STEP = 1_000  # pairs asked for at once in the sweep


def record_answers(database: Database, group: Group, asked: Iterable[Pair], now: float) -> set[Pair]:
    """Ask for pairs in a transaction of its own, and record what is met; returns that."""
    wanted = {pair for pair in asked if pair.signal in group.answers.signals}
    if not wanted:
        return set()

    def work(db: Connection) -> set[Pair]:
        found = group.answers.ask(db, wanted).met
        met_before = pairs.lock(db, group.app, found, now)
        released, revived = meet(db, group.app, found - met_before, now)
        notices.notify(db, {*released, *revived})
        return found

    return database.repeat(work)


def answered(db: Connection, group: Group, works: Iterable[Work], unmet: set[Pair]) -> set[Pair]:
    """Ask for the unmet pairs of these events in their own transaction. Its settling records what is met."""
    found = group.answers.ask(db, unmet).met
    if found:
        for _, shares in works:
            for share in shares:
                share.answered = tuple(pair for pair in share.required if pair in found)
    return found


class AskForParked:
    """Asks, in each sweep, for the pairs that the group's parked rows wait for: some at a time, on from the last."""

    idle = 0.0

    def __init__(self, group: Group) -> None:
        self._group = group
        self._after = Pair("", "")

    def step(self, database: Database, now: float) -> bool:
        """Ask for the next ones; False at the end, after which it begins again."""
        signals = self._group.answers.signals
        if not signals:
            return False
        with database.reading() as db:
            found = claims.waited_for(db, self._group.app, self._group.name, signals, self._after, STEP)
        record_answers(database, self._group, found, now)
        self._after = found[-1] if len(found) == STEP else Pair("", "")
        return bool(self._after.signal)
