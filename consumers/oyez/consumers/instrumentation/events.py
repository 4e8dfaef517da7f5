"""Happenings: one for a batch or for a change of state, never one for an event.

``group`` is a group's full name, ``error`` a text in one line; ``seconds`` and whatever ends so are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..core.report import Report


@dataclass(frozen=True, slots=True)
class Happening:
    """The base of all of them."""

    group: str


@dataclass(frozen=True, slots=True)
class WorkerStarted(Happening):
    """A worker begins its rounds."""


@dataclass(frozen=True, slots=True)
class WorkerStopped(Happening):
    """A worker has left its group as it was told to. Counts are of shares, since it started."""

    handled: int
    parked: int
    released: int
    dead: int


@dataclass(frozen=True, slots=True)
class WorkerFailed(Happening):
    """An error ended a worker's rounds: its process ends."""

    error: str
    cause: BaseException


@dataclass(frozen=True, slots=True)
class WorkerDied(Happening):
    """A process ended that should not have; it is started again ``delay_seconds`` later."""

    worker: str
    how: str
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerKilled(Happening):
    """A process did not stop within ``seconds`` when it was told to."""

    worker: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BatchHandled(Happening):
    """A batch of ``size`` events of the group was committed, ``seconds`` after it was decoded."""

    size: int
    seconds: float
    report: Report


@dataclass(frozen=True, slots=True)
class RowsRun(Happening):
    """Parked rows were run, or buried for their age, in one transaction."""

    report: Report


@dataclass(frozen=True, slots=True)
class Swept(Happening):
    """The retry table was gone through; the database was reached. ``oldest_wait`` asks it for how many seconds the
    oldest parked share has been parked; it may raise `DatabaseAway`."""

    oldest_wait: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Lagging(Happening):
    """How many records are left to read, by topic and partition, of those that the worker holds."""

    lags: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class DatabaseLost(Happening):
    """The database does not answer; the worker waits for it."""

    error: str


@dataclass(frozen=True, slots=True)
class DatabaseBack(Happening):
    """The database answers again."""


@dataclass(frozen=True, slots=True)
class StoppedInTrouble(Happening):
    """The worker was told to stop while the database was away, or its handlers were broken."""

    error: str


@dataclass(frozen=True, slots=True)
class BatchFenced(Happening):
    """Another worker has moved a position of the batch: it was rolled back."""

    error: str


@dataclass(frozen=True, slots=True)
class LogLost(Happening):
    """The log gave no answer to what it was asked; it is asked again."""

    error: str


@dataclass(frozen=True, slots=True)
class LogBack(Happening):
    """The log answers what it is asked."""


@dataclass(frozen=True, slots=True)
class PartitionHalted(Happening):
    """A partition is not read any more until somebody moves its position."""

    topic: str
    partition: int
    reason: str


@dataclass(frozen=True, slots=True)
class BatchCut(Happening):
    """The time of a batch of ``size`` events was up, or the worker was told to stop: ``handled`` shares were done, what
    had not been begun is read again."""

    size: int
    handled: int


@dataclass(frozen=True, slots=True)
class Suspecting(Happening):
    """Workers have died without getting on: the next ``events`` events are handled one by one."""

    events: int


@dataclass(frozen=True, slots=True)
class EventKilledWorkers(Happening):
    """An event is given up because ``workers`` workers died while they ran it alone."""

    topic: str
    partition: int
    offset: int
    workers: int


@dataclass(frozen=True, slots=True)
class MailsSent(Happening):
    """Mails were sent in one run. Some were ``delayed`` for another attempt, some have ``failed``, and of the
    ``unsure`` it is not known whether they were sent."""

    sent: int
    delayed: int
    failed: int
    unsure: int


@dataclass(frozen=True, slots=True)
class MailServerLost(Happening):
    """The mail server cannot be reached, or not as it is set; urgent mail waits."""

    error: str


@dataclass(frozen=True, slots=True)
class OutboxHeldUp(Happening):
    """What the worker would send does not leave: it stays in the outbox, and is tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class OutboxMovesOn(Happening):
    """What stood in the outbox leaves again."""


@dataclass(frozen=True, slots=True)
class HandlersBroken(Happening):
    """Nearly all of a batch failed alike: it was not committed, and is tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class HandlersMended(Happening):
    """The batch that nearly all handlers failed for is committed."""
