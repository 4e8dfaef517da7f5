"""Recording prerequisites as met, whose events were handled before anything was recorded, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database import notices, prerequisites
from ..database.clock import Clock
from ..database.engine import Database
from ..database.mark_met import meet
from .counts import Counts
from .pacing import STEP, parts


@dataclass
class Recorded(Counts):
    """Counts: prerequisites that were recorded, or ``met_already``; deliveries that were released, and revived.
    ``may_be_more``: workers and sweeps may release and revive more that waited for the same."""

    recorded: int = 0
    met_already: int = 0
    released: int = 0
    revived: int = 0
    may_be_more: bool = False


class Record:
    """Records prerequisites of an application as met, in steps of one transaction each."""

    def __init__(self, app: str, database: Database, clock: Clock, *, size: int = STEP) -> None:
        self._app = app
        self._database = database
        self._clock = clock
        self._size = size

    def look(self, given: Sequence[Prerequisite]) -> Recorded:
        """What recording these prerequisites would record, without doing it."""
        met = 0
        with self._database.reading() as db:
            for some in self._parts(given):
                met += len(prerequisites.met(db, self._app, some))
        return Recorded(recorded=len(given) - met, met_already=met)

    def apply(
        self, given: Sequence[Prerequisite], on_step: Callable[[int], None] = lambda _count: None
    ) -> Recorded:
        """Record them, each once; what was committed stays, whatever happens later."""
        total = Recorded()
        for some in self._parts(given):
            total.add(self._database.repeat(partial(self._step, some=some)))
            on_step(len(some))
        return total

    def _parts(self, given: Sequence[Prerequisite]) -> Iterator[Sequence[Prerequisite]]:
        return parts(given, self._size)

    def _step(self, db: Connection, some: Sequence[Prerequisite]) -> Recorded:
        now = self._clock(db)
        met = prerequisites.lock(db, self._app, some, now)
        released, revived, may_be_more = meet(db, self._app, set(some) - met, now)
        notices.notify(db, {*released, *revived})
        return Recorded(len(some) - len(met), len(met), len(released), len(revived), may_be_more)
