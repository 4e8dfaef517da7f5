"""Running what is due in the retry table of one group: the sweep, and the claims that it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection

from oyez.schemas import Pair

from .database import claims, dead, notices, pairs, parked, waits
from .database.claims import ParkedRow
from .database.meeting import meet
from .execution import Execution
from .intakes import Claim
from .limits import Limits
from .reading import Reader
from .writing import Report


class Retrying:
    """The retry table of one group."""

    def __init__(
        self,
        execution: Execution,
        reader: Reader,
        limits: Limits,
        *,
        batch: int,
        upkeep: Callable[[Callable[[], bool]], None] = lambda _stop: None,
    ) -> None:
        """``upkeep`` is done at the beginning of each sweep."""
        self._execution = execution
        self._group = execution.group
        self._reader = reader
        self._limits = limits
        self._batch = batch
        self._upkeep = upkeep

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
    ) -> None:
        """One pass: bury what waited too long, make heads due, then run all that is due, for so long at most."""
        self._upkeep(stop)
        while buried := self._execution.database.repeat(self._bury_expired):
            on_batch(Report(dead=buried))
            if buried < self._batch or stop():
                break
        self._execution.database.repeat(
            lambda db: parked.promote_all(db, self._group.name, self._execution.clock())
        )
        self.run_due(on_batch, stop, seconds=seconds)

    def run_due(
        self,
        on_batch: Callable[[Report], None],
        stop: Callable[[], bool] = lambda: False,
        *,
        seconds: float = float("inf"),
    ) -> bool:
        """Claim and run what is due, batch by batch; False if time was up before everything had run."""
        limit = time.monotonic() + seconds
        while not stop():
            claim = Claim(self._group, self._reader, self._batch)
            report = self._execution.handle(claim)
            report.delays = claim.delays
            if not claim.taken:
                return True
            on_batch(report)
            if time.monotonic() > limit:
                return False
        return True

    def next_due(self) -> float | None:
        """When the next row is due, in seconds since the epoch."""
        with self._execution.database.reading() as db:
            return claims.next_due(db, self._group.name, list(self._group.by_name))

    def oldest_wait(self) -> float:
        """For how many seconds the oldest parked share has been parked; 0 if there is none."""
        with self._execution.database.reading() as db:
            since = waits.oldest(db, self._group.name)
        return 0.0 if since is None else max(0.0, self._execution.clock() - since)

    def _bury_expired(self, db: Connection) -> int:
        """Heads that waited longer than ``max_age`` for their pair: dead letters, "never met". What the application's
        own tables should answer and cannot at the moment is left.
        """
        now, app = self._execution.clock(), self._group.app
        names = list(self._group.by_name)
        found = claims.expired(db, self._group.name, names, now - self._limits.max_age, self._batch)
        awaited = {row.waits for row in found if row.waits is not None}
        answer = self._group.answers.ask(db, awaited)
        met = pairs.lock(db, app, awaited, now)
        released, revived = meet(db, app, answer.met - met, now)
        notices.notify(db, {*released, *revived})
        spared = met | answer.met | answer.unsure
        rows = claims.lock_waiting(db, [row.id for row in found if row.waits not in spared])
        dead.bury(db, [dead.letter(row, app, _never(row, now), None, now) for row in rows])
        parked.remove(db, [row.id for row in rows])
        freed = {(row.handler, row.key_text) for row in rows if row.ordered and row.key_text is not None}
        parked.promote(db, app, freed, now)
        return len(rows)


def _never(row: ParkedRow, now: float) -> str:
    pair: Pair | None = row.waits
    what = f"{pair.signal} {pair.subject!r}" if pair else "its prerequisite"
    return f"never met: waited {now - (row.head_since or now):.0f} s for {what}"
