"""Where the application's own tables are asked: before a batch, and for rows that are claimed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import notices, prerequisites
from ..database.clock import Clock
from ..database.engine import Database
from ..database.mark_met import meet
from ..handlers.application import Group


def record_answers(
    database: Database, group: Group, asked: Iterable[Prerequisite], clock: Clock
) -> set[Prerequisite]:
    """Ask for prerequisites in a transaction of its own, and record what is met; returns that."""
    wanted = {prerequisite for prerequisite in asked if prerequisite.signal in group.answers.signals}
    if not wanted:
        return set()

    def work(db: Connection) -> set[Prerequisite]:
        now = clock(db)
        found = group.answers.ask(db, wanted).met
        met_before = prerequisites.lock(db, group.app, found, now)
        released, revived, _ = meet(db, group.app, found - met_before, now)
        notices.notify(db, {*released, *revived})
        return found

    return database.repeat(work)


def answered(db: Connection, group: Group, unmet: frozenset[Prerequisite]) -> frozenset[Prerequisite]:
    """Which of these are met, as the application's own tables say in this transaction. Its settling records it."""
    if not group.answers.signals:
        return frozenset()
    return frozenset(group.answers.ask(db, unmet).met)
