"""What is forgotten: inbox rows after the window, prerequisites as long after their last use as their signal says,
the journal after its days, and dead letters where a time is set for them.

Each walks through its table by the primary key, a limited number of rows at a step. A step that finds something old
deletes it in a short transaction of its own, and leaves what somebody else has locked.
"""

from __future__ import annotations

from sqlalchemy import Connection

from oyez.producers.loggers import logger_named
from oyez.schemas.declaration import Declaration

from ..admin import Discard
from ..database import pauses, tables
from ..database import retention as forgetting
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.engine import Database
from ..database.event_times import made_at
from ..database.inbox import EventId
from ..execution.pauses import paused_until
from ..execution.readiness import SEEN_FOR
from ..handlers.application import Application, Group

log = logger_named("oyez.retention")

STEP = 1_000  # rows read at a step
IDLE = 60.0  # s; after the end of a table, until it is read again
DAY = 86_400.0
UNMET_FOR = (
    30 * DAY
)  # s; for how long a prerequisite that was never met is kept, where nothing is ever forgotten


class InboxWindow:
    """Forgets which events a group has taken, ``seconds`` after it took them."""

    idle = IDLE

    @property
    def pace(self) -> int:
        """All of a step."""
        return STEP

    def grown(self, events: int, deliveries: int) -> int:
        """A row for each event, at most."""
        return events

    def __init__(self, group: str, seconds: float) -> None:
        self._group = group
        self._seconds = seconds
        self._after: EventId = ("", "")

    def step(self, database: Database, now: float) -> bool:
        """Read on, and delete what is old; False at the end of the table, after which it begins again."""
        before = now - self._seconds
        with database.reading() as db:
            rows = forgetting.inbox_after(db, self._group, self._after, STEP)
        old: list[EventId] = []
        after = ("", "") if len(rows) < STEP else (rows[-1].source, rows[-1].event_id)
        for row in rows:
            if row.taken_at < before:
                old.append((row.source, row.event_id))
            elif before < (made_at(row.event_id) or before) < now + DAY:
                # It, and the following ones of ours up to those of tomorrow, were made too late to be old.
                after = (row.source, _first_of(now + DAY))
                break
        if old:
            database.repeat(lambda db: forgetting.forget_taken(db, self._group, old))
        self._after = after
        return after != ("", "")


def _first_of(moment: float) -> str:
    """What comes before all ids that are made at ``moment`` or later."""
    digits = f"{int(moment * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


class Remembered:
    """Forgets the prerequisites of signals that nobody has waited for or completed for as long as the signal says,
    and a little longer, since a process does not ask for what it has seen met a while ago. What a handler requires that
    is paused, or was until lately, is kept: the deliveries that it holds up have asked for nothing yet."""

    idle = IDLE

    @property
    def pace(self) -> int:
        """All of a step."""
        return STEP

    def grown(self, events: int, deliveries: int) -> int:
        """The prerequisite that each completes."""
        return events

    def __init__(self, group: Group) -> None:
        self._application = group.application
        self._app = group.app
        self._signals = [one for one in group.declarations if one.subject is not None]
        self._at = 0
        self._after = ""

    def step(self, database: Database, now: float) -> bool:
        """Read on, and delete what is old; False at the end of the last signal."""
        if not self._signals:
            return False
        signal = self._signals[self._at]
        met_before, seen_before = _policy(signal, now)
        with database.reading() as db:
            rows = forgetting.prerequisites_after(db, self._app, signal.name, self._after, STEP)
            is_held_up = self._is_held_up(db, signal, now)
        old = [
            row.subject for row in rows if row.seen_at < (seen_before if row.met_at is None else met_before)
        ]
        old = [] if is_held_up else old
        if old:
            database.repeat(
                lambda db: forgetting.forget_prerequisites(
                    db, self._app, signal.name, old, met_before=met_before, seen_before=seen_before
                )
            )
        return self._go_on(rows[-1].subject if len(rows) == STEP else None)

    def _is_held_up(self, db: Connection, signal: Declaration, now: float) -> bool:
        until = paused_until(self._application, pauses.read(db, self._app))
        paused = {name for name, ended in until.items() if ended > now - DAY}
        return any(one.name in paused and signal.name in one.requires for one in self._application.handlers)

    def _go_on(self, last: str | None) -> bool:
        if last is not None:
            self._after = last
            return True
        self._after = ""
        self._at = (self._at + 1) % len(self._signals)
        return self._at != 0


def _policy(signal: Declaration, now: float) -> tuple[float, float]:
    """Before which time of its last use a prerequisite that is met is forgotten, and one that is not."""
    now -= SEEN_FOR
    if signal.remember is None:
        return float("-inf"), now - UNMET_FOR
    remembered = now - signal.remember.total_seconds()
    return remembered, remembered


class DeadLetters:
    """Discards dead letters that died ``seconds`` ago, just as an operator would."""

    idle = IDLE

    @property
    def pace(self) -> int:
        """All of a step."""
        return STEP

    def grown(self, events: int, deliveries: int) -> int:
        """A row for each delivery that dies, at most."""
        return deliveries

    def __init__(self, application: Application, seconds: float, clock: Clock) -> None:
        self._app = application.name
        self._seconds = seconds
        self._operation = Discard(application, tables.dead, clock)
        self._after = 0

    def step(self, database: Database, now: float) -> bool:
        """Read on, and discard what is old; False at the end of the table."""
        before = now - self._seconds
        with database.reading() as db:
            rows = forgetting.dead_after(db, self._app, self._after, STEP)
        old = [row.id for row in rows if row.died_at < before]
        if old:
            wanted = Filter(app=self._app, before=before)
            tally = database.repeat(lambda db: self._operation.step(db, old, wanted)).tally
            log.info(
                "%s: %d dead letters of more than %g days ago were discarded; that met %d "
                "prerequisites and released %d deliveries%s",
                self._app,
                tally.done,
                self._seconds / DAY,
                len(tally.met),
                tally.released + tally.revived,
                ", and more may follow" if tally.may_be_more else "",
            )
        self._after = rows[-1].id if len(rows) == STEP else 0
        return self._after != 0


class JournalWindow:
    """Forgets what the journal has of an application, ``seconds`` after it was written. Its rows are in the order of
    their times, but for a few that were written at the same time: what is old stands at the beginning."""

    idle = IDLE

    @property
    def pace(self) -> int:
        """All of a step."""
        return STEP

    def grown(self, events: int, deliveries: int) -> int:
        """A row for each delivery, whatever became of it, at most."""
        return deliveries

    def __init__(self, app: str, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self._after = 0

    def step(self, database: Database, now: float) -> bool:
        """Read on, and delete what is old; False once there is something that is not, or the end."""
        before = now - self._seconds
        with database.reading() as db:
            rows = forgetting.journal_after(db, self._after, STEP)
        old = [row.id for row in rows if row.app == self._app and row.at < before]
        if old:
            database.repeat(lambda db: forgetting.forget_journal(db, old))
        goes_on = len(rows) == STEP and rows[-1].at < before
        self._after = rows[-1].id if goes_on else 0
        return goes_on


Forgetting = InboxWindow | Remembered | DeadLetters | JournalWindow


def retention(
    group: Group, clock: Clock, inbox_days: float, dead_days: float | None, journal_days: float
) -> list[Forgetting]:
    """What a worker of ``group`` forgets; ``dead_days`` is None where dead letters are kept."""
    tasks: list[Forgetting] = [JournalWindow(group.app, journal_days * DAY)]
    if group.is_exact:
        tasks.append(InboxWindow(group.name, inbox_days * DAY))
        tasks.append(Remembered(group))
    if dead_days is not None:
        tasks.append(DeadLetters(group.application, dead_days * DAY, clock))
    return tasks
