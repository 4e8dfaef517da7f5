"""Running what is due in the retry table of one group: the sweep, and the claims that it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..core.backoff import RetryPolicy
from ..core.report import Report
from ..database import claims, dead_letters, notices, parked, parked_age, prerequisites, start_notes
from ..database.claims import ParkedRow
from ..database.dialects.lookup import dialect_of
from ..database.engine import DatabaseAway
from ..database.mark_met import meet
from ..execution.careful import LONE_DEATHS
from ..execution.execution import Execution
from ..execution.reader import Reader
from .claim import NotedClaim, before_later

ALONE = 3  # unfinished starts of a row, after which it is run alone


class Start(NamedTuple):
    """Rows that are about to be run: the note's number, their ids, and how often workers died on the first."""

    number: int
    ids: list[int]
    unfinished: int


class Retrying:
    """The retry table of one group."""

    def __init__(
        self,
        execution: Execution,
        reader: Reader,
        policy: RetryPolicy,
        *,
        batch: int,
        upkeep: Callable[[Callable[[], bool]], None] = lambda _stop: None,
    ) -> None:
        """``upkeep`` is done at the beginning of each sweep."""
        self._execution = execution
        self._group = execution.group
        self._reader = reader
        self._policy = policy
        self._batch = batch
        self._upkeep = upkeep
        self._left: list[int] = []

    @property
    def group(self) -> str:
        """The group's name."""
        return self._group.name

    def sweep(
        self,
        on_batch: Callable[[Report], None],
        stop: Callable[[], bool] = lambda: False,
        *,
        seconds: float = float("inf"),
        most: Callable[[], int] | None = None,
    ) -> None:
        """One pass: bury what waited too long, make heads due, then run all that is due, for so long at most."""
        self._execution.database.repeat(
            lambda db: start_notes.count_abandoned(db, self._group.name, ALONE, self._execution.clock(db))
        )
        self._upkeep(stop)
        while buried := self._execution.database.repeat(self._bury_expired):
            on_batch(Report(dead=buried))
            if buried < self._batch or stop():
                break
        self._execution.database.repeat(
            lambda db: parked.promote_all(db, self._group.name, self._execution.clock(db))
        )
        self.run_due(on_batch, stop, seconds=seconds, most=most)

    def run_due(
        self,
        on_batch: Callable[[Report], None],
        stop: Callable[[], bool] = lambda: False,
        *,
        seconds: float = float("inf"),
        most: Callable[[], int] | None = None,
    ) -> bool:
        """Claim and run what is due, batch by batch; False if time was up before everything had run. ``most`` says how
        many rows the next batch may have, with 0 for none."""
        limit = time.monotonic() + seconds
        while not stop():
            rows = self._batch if most is None else min(self._batch, most())
            if rows <= 0:
                return False
            start = self._execution.database.repeat(partial(self._start, limit=rows))
            if start is None:
                return True
            on_batch(self._run(start, stop))
            if time.monotonic() > limit:
                return False
        return True

    def _start(self, db: Connection, limit: int) -> Start | None:
        """Choose what is due and note that it is about to be run: should this worker die on it, it will be known.

        What workers have died on is run alone.
        """
        group, now = self._group, self._execution.clock(db)
        rows = claims.claim(db, group.app, group.name, list(group.by_name), now, limit)
        chosen = _apart(before_later(rows, now))
        for number in self._left:
            start_notes.forget(db, number)
        if not chosen:
            return None
        ids = [row.id for row in chosen]
        return Start(start_notes.note(db, group.name, ids, now), ids, chosen[0].starts)

    def _run(self, start: Start, stop: Callable[[], bool]) -> Report:
        claim = NotedClaim(self._group, self._reader, start.number, start.ids)
        try:
            if start.unfinished < ALONE + LONE_DEATHS:
                return self._execution.handle(claim, stop)
            return self._execution.bury(claim)
        except DatabaseAway:
            self._left.append(start.number)  # this worker is alive: its note is to go
            self._forget_notes()
            raise

    def _forget_notes(self) -> None:
        """At once if that can be written, or else when the database is back."""
        try:
            self._execution.database.repeat(self._forget_left)
        except DatabaseAway:
            return
        self._left.clear()

    def _forget_left(self, db: Connection) -> None:
        dialect_of(db).be_brief(db)
        for number in self._left:
            start_notes.forget(db, number)

    def due_in(self) -> float | None:
        """In how many seconds the next row is due; 0 if one is."""
        with self._execution.database.reading() as db:
            at = claims.next_due(db, self._group.name, list(self._group.by_name))
            return None if at is None else max(0.0, at - self._execution.clock(db))

    def oldest_wait(self) -> float:
        """For how many seconds the oldest parked delivery has been parked; 0 if there is none."""
        with self._execution.database.reading() as db:
            since = parked_age.oldest(db, self._group.name)
            return 0.0 if since is None else max(0.0, self._execution.clock(db) - since)

    def _bury_expired(self, db: Connection) -> int:
        """Heads that waited longer than ``max_age`` for their prerequisite: dead letters, "never met". What the
        application's own tables should answer and cannot at the moment is left.
        """
        now, app = self._execution.clock(db), self._group.app
        found = self._expired(db, now)
        awaited = {row.waits for row in found if row.waits is not None}
        answer = self._group.answers.ask(db, awaited)
        met = prerequisites.lock(db, app, awaited, now)
        released, revived = meet(db, app, answer.met - met, now)
        notices.notify(db, {*released, *revived})
        spared = met | answer.met | answer.unsure
        rows = claims.lock_waiting(db, [row.id for row in found if row.waits not in spared])
        dead_letters.bury(db, [row.letter(app, _never(row, now), now) for row in rows])
        parked.remove(db, [row.id for row in rows])
        freed = {(row.handler, row.key_text) for row in rows if row.ordered and row.key_text is not None}
        parked.promote(db, app, freed, now)
        return len(rows)

    def _expired(self, db: Connection, now: float) -> list[ParkedRow]:
        """Heads that have waited longer than their handler's ``max_age``; not locked."""
        ages: dict[float, list[str]] = {}
        for handler in self._group.handlers:
            ages.setdefault(self._policy.of(handler.retry).max_age, []).append(handler.name)
        found: list[ParkedRow] = []
        for age, names in ages.items():
            found += claims.expired(db, self._group.name, names, now - age, self._batch - len(found))
        return found


def _apart(rows: Sequence[ParkedRow]) -> list[ParkedRow]:
    """The first row alone if workers have died on it; otherwise all, without those that workers have died on."""
    if not rows or rows[0].starts >= ALONE:
        return list(rows[:1])
    return claims.allowed(rows, {row.id for row in rows if row.starts < ALONE})


def _never(row: ParkedRow, now: float) -> str:
    prerequisite: Prerequisite | None = row.waits
    what = f"{prerequisite.signal} {prerequisite.subject!r}" if prerequisite else "its prerequisite"
    return f"never met: waited {now - (row.head_since or now):.0f} s for {what}"
