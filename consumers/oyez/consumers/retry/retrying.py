"""Running what is due in the retry table of one group: the sweep, and the claims that it is made of."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..core.apart import OWN, ProcessKind
from ..core.backoff import RetryPolicy
from ..core.report import Report
from ..database import (
    behind,
    claims,
    dead_letters,
    due_queues,
    notices,
    parked,
    parked_age,
    prerequisites,
    releasing,
    stranded,
    waiting,
)
from ..database.engine import DatabaseAway
from ..database.mark_met import NOTHING, Meeting, go_on, meet
from ..database.parked_row import Candidate, ParkedRow
from ..execution.careful import LONE_DEATHS
from ..execution.execution import Execution
from ..execution.reader import Reader
from ..handlers.registry import Handler
from .claim import NotedClaim, before_later
from .pace import Pace, Slice
from .starts import Starts

LOOK = 1_000  # notes of keys in which something is behind a head that are looked at in one transaction
ALONE = 3  # unfinished starts of a row, after which it is run alone
EIGHTH = 8


class Start(NamedTuple):
    """Rows that are about to be run: the note's number, their ids, and how often workers died on the first. There are
    none where ``meeting`` is all that was done, what was released before, or where starts were counted."""

    meeting: Meeting
    number: int = 0
    ids: Sequence[int] = ()
    unfinished: int = 0


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
        process: ProcessKind = OWN,
        timer: Callable[[], float] = time.monotonic,
        handlers: Sequence[Handler] | None = None,
    ) -> None:
        """``upkeep`` is done at the beginning of each sweep. ``handlers``: those whose rows are run; all of the group's
        by default."""
        self._execution = execution
        self._group = execution.group
        self._reader = reader
        self._policy = policy
        self._batch = batch
        self._upkeep = upkeep
        self._process = process
        self._timer = timer
        self._starts = Starts(execution, ALONE, process)
        self._names = [one.name for one in (self._group.handlers if handlers is None else handlers)]
        self._pace = Pace(due_queues.KINDS * len(self._names), batch)

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
    ) -> bool:
        """One pass: bury what waited too long, make heads due, then run all that is due, for so long at most each.
        Returns whether there was time enough for what comes before the run."""
        over = self._until(self._timer() + seconds, stop)
        self._starts.count_abandoned()
        self._upkeep(stop)
        is_finished = self._bury(on_batch, over) and self._look_behind(over)
        self.run_due(on_batch, stop, seconds=seconds, most=most)
        return is_finished

    def run_due(
        self,
        on_batch: Callable[[Report], None],
        stop: Callable[[], bool] = lambda: False,
        *,
        seconds: float = float("inf"),
        most: Callable[[], int] | None = None,
    ) -> bool:
        """Claim and run what is due, batch by batch; False if time was up before everything had run. ``most`` says how
        many rows the next batch may have, with 0 for none. Each batch is run for ``seconds`` at most."""
        limit = self._timer() + seconds
        unfinished = 0
        while not stop():
            rows = self._batch if most is None else min(self._batch, most())
            if rows <= 0:
                return False
            # After what few are run together of, the next is likely to be the same, and no more than that is claimed.
            limit_of_claim = min(rows, self._pace.rows, _together(unfinished, self._batch))
            start = self._execution.database.repeat(partial(self._start, limit=limit_of_claim))
            if start is None:
                return True
            unfinished = start.unfinished
            on_batch(self._run(start, Slice(seconds, self._timer, stop)))
            if self._timer() > limit:
                return False
        return True

    def _start(self, db: Connection, limit: int) -> Start | None:
        """Choose what is due and note that it is about to be run: should this worker die on it, it will be known. Of
        what waits for a prerequisite that is met, more becomes due before that.

        What workers have died on is run with fewer others each time, and at last alone.
        """
        group, now = self._group, self._execution.clock(db)
        self._execution.database.dialect.read_by_index(db)
        pauses = self._execution.pauses
        pauses.read(db)
        meeting = go_on(db, group.app, group.name, now)
        notices.notify(db, {*meeting.released, *meeting.revived} - {group.name})
        rows = claims.claim_candidates(db, group.app, group.name, self._running(), now, limit, pauses.left)
        self._starts.forget_left(db)
        if rows and self._starts.has_counted_of_passed_over(db, now):
            return Start(meeting)  # what is run together is to be chosen anew
        chosen = _apart(before_later(rows, now), self._batch)
        if not chosen:
            return None if meeting == NOTHING else Start(meeting)
        if chosen[0].starts >= ALONE:
            self._process.require_own("workers died on what is parked, and it is run alone")
        ids = [row.id for row in chosen]
        return Start(meeting, self._starts.note(db, ids, now), ids, chosen[0].starts)

    def _run(self, start: Start, slice_: Slice) -> Report:
        released, revived, _ = start.meeting
        report = self._run_claimed(start, slice_) if start.ids else Report()
        self._pace.note(len(start.ids), len(report.claimed))
        return replace(
            report,
            released=[*released, *revived, *report.released],
            revived=len(revived) + report.revived,
        )

    def _run_claimed(self, start: Start, slice_: Slice) -> Report:
        claim = NotedClaim(self._group, self._reader, start.number, start.ids, slice_.begin)
        try:
            if start.unfinished < ALONE + LONE_DEATHS:
                return self._execution.handle(claim, slice_.is_over)
            return self._execution.bury(claim)
        except DatabaseAway:
            self._starts.leave(start.number)
            raise

    def due_in(self) -> float | None:
        """In how many seconds the next row is due; 0 if one is."""
        with self._execution.database.reading() as db:
            pauses = self._execution.pauses
            at = due_queues.next_due(db, self._group.name, self._running(), pauses.left)
            return None if at is None else max(0.0, at - self._execution.clock(db))

    def oldest_wait(self) -> float:
        """For how many seconds the oldest parked delivery has been parked; 0 if there is none."""
        with self._execution.database.reading() as db:
            since = parked_age.oldest(db, self._group.name)
            return 0.0 if since is None else max(0.0, self._execution.clock(db) - since)

    def _running(self) -> list[str]:
        """Its handlers that are not paused."""
        running = self._execution.pauses.running
        return [name for name in self._names if name in running]

    def _until(self, limit: float, stop: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: stop() or self._timer() > limit

    def _bury(self, on_batch: Callable[[Report], None], over: Callable[[], bool]) -> bool:
        """Bury all that has waited too long; False if there was no time for that."""
        while (buried := self._execution.database.repeat(self._bury_expired)) == self._batch:
            on_batch(Report(dead=buried))
            if over():
                return False
        if buried:
            on_batch(Report(dead=buried))
        return True

    def _look_behind(self, over: Callable[[], bool]) -> bool:
        """Make due what is behind a head that is gone; False if there was no time for all of it."""
        after = self._execution.database.repeat(partial(self._look, after=0))
        while after is not None and not over():
            after = self._execution.database.repeat(partial(self._look, after=after))
        return after is None

    def _look(self, db: Connection, after: int) -> int | None:
        group, now = self._group, self._execution.clock(db)
        return stranded.look(db, group.app, group.name, now, after, LOOK).last

    def _bury_expired(self, db: Connection) -> int:
        """Heads that waited longer than ``max_age`` for their prerequisite: dead letters, "never met". What the
        application's own tables should answer and cannot at the moment is left. What waits for something that is met,
        though nothing is noted of it any more, is noted again.
        """
        now, app = self._execution.clock(db), self._group.app
        self._execution.pauses.read(db)
        found = self._expired(db, now)
        awaited = {row.waits for row in found if row.waits is not None}
        answer = self._group.answers.ask(db, awaited)
        met = prerequisites.lock(db, app, awaited, now)
        if met:  # they wait in vain, and for the next claim it is enough to be noted
            releasing.leave(db, app, met)
        released, revived, _ = meet(db, app, answer.met - met, now)
        notices.notify(db, {*released, *revived})
        spared = met | answer.met | answer.unsure
        rows = waiting.lock_waiting(db, [row.id for row in found if row.waits not in spared])
        dead_letters.bury(db, [row.letter(app, _never(row, now), now) for row in rows])
        parked.remove(db, [row.id for row in rows])
        freed = {(row.handler, row.key_text) for row in rows if row.ordered and row.key_text is not None}
        behind.note_keys(
            db, [(self._group.name, *key) for key in freed]
        )  # something may be before them by now
        behind.promote(db, app, freed, now)
        return len(rows)

    def _expired(self, db: Connection, now: float) -> list[ParkedRow]:
        """Heads that have waited longer than their handler's ``max_age``; not locked. While something is paused, and so
        long after that, it is not known whether they wait for more than the end of that pause: those of handlers of
        which something was, and those that wait for what such handlers complete."""
        until = self._execution.pauses.until
        ages = {one.name: self._policy.of(one.retry).max_age for one in self._group.handlers}
        limits = [(name, now - age) for name, age in ages.items() if until.get(name, -math.inf) <= now - age]
        oldest = now - max(ages.values())
        held_up = {
            one.declaration.name
            for one in self._group.application.handlers
            if one.completes and until.get(one.name, -math.inf) > oldest
        }
        return waiting.expired(db, self._group.name, limits, self._batch, held_up) if limits else []


def _together(unfinished: int, batch: int) -> int:
    """How many rows are run together after so many deaths: an eighth each time. So few of those that were beside the
    one that kills are ever run alone, which takes a transaction each."""
    return 1 if unfinished >= ALONE else max(1, batch // EIGHTH**unfinished)


def _apart(rows: Sequence[Candidate], batch: int) -> list[Candidate]:
    """The first row, and of the others as many as may be run with it, without those that more workers have died on."""
    if not rows:
        return []
    unfinished = rows[0].starts
    fit = set(islice((row.id for row in rows if row.starts <= unfinished), _together(unfinished, batch)))
    return [row for row in claims.allowed(rows, fit) if row.id in fit]


def _never(row: ParkedRow, now: float) -> str:
    prerequisite: Prerequisite | None = row.waits
    what = f"{prerequisite.signal} {prerequisite.subject!r}" if prerequisite else "its prerequisite"
    return f"never met: waited {now - (row.head_since or now):.0f} s for {what}"
