"""Forgetting a key or a subject: what Oyez has stored of it is deleted, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Table

from oyez.producers.spool import Folder, SpoolError, Writer, forget
from oyez.producers.spool_shipping.refused import forget_refused

from ..database import personal, tables
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.engine import Database
from ..database.journal_table import journal
from ..database.mail_filter import MailFilter
from ..database.mails import STATES
from ..database.personal import STEP, Person
from ..handlers.application import Application
from ..reports.personal import Stored, finder
from . import Discard, Steps, Tally
from .mail import MailMove, MailOperation

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
PURGE = MailMove("forget", NOT_SENDING, None)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was done in one place: how much was ``found`` there, ``removed``, or ``left``, and ``why``."""

    where: str
    found: int
    removed: int
    why: str | None = None
    is_for_now: bool = False
    """Whether another run may remove what is left."""

    @property
    def left(self) -> int:
        """What is still there."""
        return self.found - self.removed


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
        folders: Sequence[Folder],
        own: Path | None,
        clock: Clock,
    ) -> None:
        """``folders`` are the logs of the spool; in those below ``own``, which this host writes, a new segment may be
        begun. A copy looks the same: somebody has to say that it is none."""
        self._application = application
        self._database = database
        self._person = person
        self._folders = folders
        self._own = own
        self._clock = clock
        self._steps = Steps(database)
        self._met: set[str] = set()

    def run(self, found: Found, on_step: Callable[[int], None] = lambda _count: None) -> Iterator[Removed]:
        """Delete what was found, place by place."""
        ways: Mapping[str, Callable[[str, Found], Removed]] = {
            "scheduled": partial(self._rows, tables.scheduled),
            "outbox": partial(self._rows, tables.outbox),
            "spool": self._spool,
            "parked": partial(self._deliveries, tables.parked),
            "dead": partial(self._deliveries, tables.dead),
            "mail": self._mail,
            "journal": partial(self._rows, journal),
            "prerequisites": self._prerequisites,
            "pauses": _left("it is an operator's word; oyez resume --key ends it"),
            "inbox": _left("source and id alone; without them Kafka's copy would be handled again"),
        }
        for place in PLACES:
            if found.counts[place] or place in MADE:
                done = ways[place](place, found)
                on_step(found.counts[place])
                if done.found:
                    yield done
        self._database.repeat(lambda db: personal.forget_samples(db, self._person))

    def _rows(self, table: Table, place: str, found: Found) -> Removed:
        ids, removed = found.ids[place], 0
        for begin in range(0, len(ids), STEP):
            some = ids[begin : begin + STEP]
            removed += self._database.repeat(partial(personal.remove, table=table, ids=some))
        return Removed(place, len(ids), len(ids), None if removed == len(ids) else "some had gone meanwhile")

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
        """What others wait for, or have just been released by, is kept until they have run."""
        there = self._database.repeat(lambda db: personal.prerequisites_of(db, self._person))
        removed = self._database.repeat(
            lambda db: personal.forget_prerequisites(db, self._person, sorted(self._met))
        )
        left = removed < len(there)
        why = "events of others wait for it, or have until now" if left else None
        return Removed(place, len(there), removed, why, left)

    def _spool(self, place: str, found: Found) -> Removed:
        is_theirs, removed, why = finder(self._person), 0, []
        for folder in self._folders:
            try:
                done = forget(folder, is_theirs)
                if done.open and self._is_own(folder):
                    _roll(folder)
                    removed += done.events
                    done = forget(folder, is_theirs)
                quarantined = forget_refused(folder.path, is_theirs)
            except (SpoolError, OSError) as error:
                why.append(str(error))
                continue
            removed += done.events + (quarantined or 0)
            if quarantined is None:
                why.append(f"{folder.path}: it is being shipped, so what was quarantined of it stays")
            if done.open:
                why.append(
                    f"{folder.path}: {done.open} in the segment that is being written, see --written-here"
                )
            if done.short:
                why.append(f"{folder.path}: {done.short} lines that are too short to be replaced")
        count = found.counts[place]
        return Removed(place, max(count, removed), removed, "; ".join(why) or None, bool(why))

    def _is_own(self, folder: Folder) -> bool:
        return self._own is not None and folder.path.resolve().parent == self._own.resolve()


def _roll(folder: Folder) -> None:
    """Let the log go on in a new segment: what was written until now is not written to any more."""
    writer = Writer(folder.path, folder.topic)
    writer.roll()
    writer.close()


def _left(why: str) -> Callable[[str, Found], Removed]:
    return lambda place, found: Removed(place, found.counts[place], 0, why)


def _of_tally(place: str, found: Found, tally: Tally, why: str) -> Removed:
    count = len(found.ids[place])
    left = count - tally.done
    said = why if tally.busy else "some have moved or gone meanwhile"
    return Removed(place, count, tally.done, said if left else None, left > 0)
