"""Forgetting a key or a subject: what Oyez has stored of it is deleted, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Table

from ..database import personal, tables
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.engine import Database
from ..database.journal_table import journal
from ..database.mail_filter import MailFilter
from ..database.mails import STATES
from ..database.personal import STEP, Person
from ..handlers.application import Application
from ..reports.personal import Stored
from . import Discard, Steps, Tally
from .forget_spool import Removed, SpoolPlace
from .mail import MailMove, MailOperation
from .still_required import StillRequired

PLACES = (
    "scheduled",
    "outbox",
    "spool",
    "parked",
    "dead",
    "mail",
    "journal",
    "prerequisites",
    "pauses",
    "inbox",
)
"""In the order in which they are gone through: first what is still on its way."""
MADE = ("prerequisites",)
"""Discarding deliveries may leave something here that was not there before."""
NOT_SENDING = tuple(state for state in STATES if state != "sending")
WHY_PARKED = "parked deliveries require it, or have until now"
WHY_DEAD = "dead letters require it: retry or discard them first"
PURGE = MailMove("forget", NOT_SENDING, None)


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: how much in each place, and the ids of rows."""

    counts: Mapping[str, int]
    ids: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, every: Iterator[Stored]) -> Found:
        """All of this."""
        counts = dict.fromkeys(PLACES, 0)
        ids: dict[str, list[int]] = {place: [] for place in PLACES}
        for one in every:
            counts[one.where] += 1
            if one.number is not None:
                ids[one.where].append(one.number)
        return cls(counts, ids)


class Forgetting:
    """Forgets one key or subject. Each step is a transaction of its own: what was done stays done."""

    def __init__(
        self,
        application: Application,
        database: Database,
        person: Person,
        spool: SpoolPlace,
        clock: Clock,
        log: str = "Kafka",
    ) -> None:
        """``log``: what may still have an event, in words."""
        self._application = application
        self._database = database
        self._person = person
        self._spool = spool
        self._clock = clock
        self._steps = Steps(database)
        self._met: set[str] = set()
        self._inbox = f"source and id alone; without them what {log} has would be handled again"

    def run(self, found: Found, on_step: Callable[[int], None] = lambda _count: None) -> Iterator[Removed]:
        """Delete what was found, place by place."""
        ways: Mapping[str, Callable[[str, Found], Removed]] = {
            "scheduled": partial(self._leaving, tables.scheduled),
            "outbox": partial(self._leaving, tables.outbox),
            "spool": self._spool_of,
            "parked": partial(self._deliveries, tables.parked),
            "dead": partial(self._deliveries, tables.dead),
            "mail": self._mail,
            "journal": partial(self._rows, journal),
            "prerequisites": self._prerequisites,
            "pauses": _left("it is an operator's word; oyez resume --key ends it"),
            "inbox": _left(self._inbox),
        }
        for place in PLACES:
            if found.counts[place] or place in MADE:
                done = ways[place](place, found)
                on_step(found.counts[place])
                if done.found:
                    yield done
        self._database.repeat(lambda db: personal.forget_samples(db, self._person))

    def _rows(self, table: Table, place: str, found: Found) -> Removed:
        known, removed = len(found.ids[place]), self._removed(table, found.ids[place])
        return Removed(place, known, known, None if removed == known else "some had gone meanwhile")

    def _leaving(self, table: Table, place: str, found: Found) -> Removed:
        """What has left meanwhile is not gone: it stands in the next place, or was handled."""
        known, removed = len(found.ids[place]), self._removed(table, found.ids[place])
        left = removed < known
        return Removed(place, known, removed, "some have left for the next place" if left else None, left)

    def _removed(self, table: Table, ids: Sequence[int]) -> int:
        some = [ids[begin : begin + STEP] for begin in range(0, len(ids), STEP)]
        return sum(self._database.repeat(partial(personal.remove, table=table, ids=one)) for one in some)

    def _deliveries(self, table: Table, place: str, found: Found) -> Removed:
        """As `oyez retry discard` does: what is behind them goes on, what waited for their events alone is released."""
        operation = Discard(self._application, table, self._clock)
        tally = self._steps.apply(operation, found.ids[place], Filter(app=self._person.app))
        if tally.released or tally.revived:
            self._met |= {one.signal for one in tally.met if one.subject == self._person.text}
        return _of_tally(place, found, tally, "a worker has them in hand")

    def _mail(self, place: str, found: Found) -> Removed:
        operation = MailOperation(PURGE, self._clock)
        wanted = MailFilter(states=NOT_SENDING)
        tally = self._steps.apply(operation, found.ids[place], wanted)
        left = len(found.ids[place]) - tally.done
        return Removed(
            place, len(found.ids[place]), tally.done, "they are being sent" if left else None, left > 0
        )

    def _prerequisites(self, place: str, found: Found) -> Removed:
        """What others require, or have just been released by, is kept until they have run."""
        there = self._database.repeat(lambda db: personal.prerequisites_of(db, self._person))
        if not there:
            return Removed(place, 0, 0)
        required = StillRequired(self._application, self._person.text)
        with self._database.reading() as db:
            required.read(db)
        by_parked, by_dead, removed = self._database.repeat(partial(self._forget_prerequisites, required))
        left = max(0, len(there) - removed)
        signals = {row.signal for row in there}
        is_for_now = left > len(signals & by_dead - by_parked)
        why = [WHY_DEAD] if signals & by_dead else []
        why += [WHY_PARKED] if is_for_now else []
        return Removed(place, len(there), removed, "; ".join(why) if left else None, is_for_now)

    def _forget_prerequisites(
        self, required: StillRequired, db: Connection
    ) -> tuple[set[str], set[str], int]:
        """What others require that are parked, and that are dead; and how many of the rest were deleted."""
        by_parked = self._met | required.signals(db, tables.parked) | personal.awaited_of(db, self._person)
        by_dead = required.signals(db, tables.dead)
        removed = personal.forget_prerequisites(db, self._person, sorted(by_parked | by_dead))
        return by_parked, by_dead, removed

    def _spool_of(self, _place: str, found: Found) -> Removed:
        return self._spool.forget(self._person, found.counts["spool"])


def _left(why: str) -> Callable[[str, Found], Removed]:
    return lambda place, found: Removed(place, found.counts[place], 0, why)


def _of_tally(place: str, found: Found, tally: Tally, why: str) -> Removed:
    count = len(found.ids[place])
    left = count - tally.done
    said = why if tally.busy else "some have moved or gone meanwhile"
    return Removed(place, count, tally.done, said if left else None, left > 0)
