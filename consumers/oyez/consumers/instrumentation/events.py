"""Instrumentation events: one for a batch or for a change of state, never one for each announced event.

``group`` is a group's full name, ``error`` a text in one line; ``seconds`` and whatever ends so are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..core.leaving import Leaving
from ..core.report import Report
from .failures import DeliveriesDied, HandlerFailed, HandlersFoundBroken, HandlersRepaired
from .lives import (
    InstrumentationEvent,
    SlowToStop,
    WorkerDied,
    WorkerFailed,
    WorkerKilled,
    WorkerMoves,
    WorkerStarted,
    WorkerStopped,
)

__all__ = [  # beside what stands here
    "DeliveriesDied",
    "HandlerFailed",
    "HandlersFoundBroken",
    "HandlersRepaired",
    "InstrumentationEvent",
    "SlowToStop",
    "WorkerDied",
    "WorkerFailed",
    "WorkerKilled",
    "WorkerMoves",
    "WorkerStarted",
    "WorkerStopped",
]


@dataclass(frozen=True, slots=True)
class BatchHandled(InstrumentationEvent):
    """A batch of ``size`` events of the group was committed, ``seconds`` after it was decoded."""

    size: int
    seconds: float
    report: Report


@dataclass(frozen=True, slots=True)
class RowsRun(InstrumentationEvent):
    """Parked rows were run, or buried for their age, in one transaction."""

    report: Report


@dataclass(frozen=True, slots=True)
class Swept(InstrumentationEvent):
    """The retry table was gone through; the database was reached. ``oldest_wait`` asks it for how many seconds the
    oldest parked delivery has been parked, ``leaving`` how much has not left; they may raise `DatabaseAway`."""

    oldest_wait: Callable[[], float]
    leaving: Callable[[], Leaving]


@dataclass(frozen=True, slots=True)
class Lagging(InstrumentationEvent):
    """How much is left to read, as the log counts, by topic and partition, of those that the worker holds."""

    lags: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class LanesSeen(InstrumentationEvent):
    """How many of a handler's lanes run something, and how many of its calls took longer than its timeout and have not
    returned."""

    handler: str
    running: int
    hanging: int


@dataclass(frozen=True, slots=True)
class DatabaseLost(InstrumentationEvent):
    """The database does not answer; the worker waits for it."""

    error: str


@dataclass(frozen=True, slots=True)
class DatabaseBack(InstrumentationEvent):
    """The database answers again."""


@dataclass(frozen=True, slots=True)
class StoppedInTrouble(InstrumentationEvent):
    """The worker was told to stop while the database was away, or its handlers were broken."""

    error: str


@dataclass(frozen=True, slots=True)
class BatchFenced(InstrumentationEvent):
    """Another worker has moved a position of the batch: it was rolled back."""

    error: str


@dataclass(frozen=True, slots=True)
class ClockCompared(InstrumentationEvent):
    """By how many ``seconds`` the worker's machine's clock is ahead of the database's."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ClockOff(InstrumentationEvent):
    """That has become more than is allowed. It decides nothing, but dates what the machine announces."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ClockRight(InstrumentationEvent):
    """It is no more than is allowed again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DatabaseClockLeapt(InstrumentationEvent):
    """The database's clock went on (or back, below 0) by ``seconds`` that have not passed. Until it has stayed there
    for ten minutes, the time before counts on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DatabaseClockBelieved(InstrumentationEvent):
    """The database's clock counts again: it went back, or has stayed where it is."""


@dataclass(frozen=True, slots=True)
class LogLost(InstrumentationEvent):
    """The log gave no answer to what it was asked; it is asked again."""

    error: str


@dataclass(frozen=True, slots=True)
class LogBack(InstrumentationEvent):
    """The log answers what it is asked."""


@dataclass(frozen=True, slots=True)
class LogJoined(InstrumentationEvent):
    """The worker knows which part of the log is its own, since it started."""


@dataclass(frozen=True, slots=True)
class LogAsked(InstrumentationEvent):
    """What the log itself says of what is left for the worker: that all is ``done``, that there is ``more``, that the
    worker is ``outside`` its group, or nothing (``silent``); ``why`` in words. ``has_moved``: the worker has read on
    since this was last told. ``halted``: a line for each partition that is its and is not read any more."""

    standing: str
    why: str
    has_moved: bool
    halted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionStalled(InstrumentationEvent):
    """Nothing came of a partition for a while, though the log has records from ``position`` up to ``end``. ``remedy``
    is what is done: `seek`, `rejoin` or `restart`."""

    topic: str
    partition: int
    position: int
    end: int
    remedy: str


@dataclass(frozen=True, slots=True)
class PartitionHalted(InstrumentationEvent):
    """A partition is not read any more until somebody moves its position."""

    topic: str
    partition: int
    reason: str


@dataclass(frozen=True, slots=True)
class BatchCut(InstrumentationEvent):
    """The time of a batch of ``size`` events was up, or the worker was told to stop: ``handled`` deliveries were
    done, what had not been begun is read again."""

    size: int
    handled: int


@dataclass(frozen=True, slots=True)
class Suspecting(InstrumentationEvent):
    """Workers have died without getting on in some partitions: the next ``events`` events of each are handled one by
    one."""

    events: int


@dataclass(frozen=True, slots=True)
class EventKilledWorkers(InstrumentationEvent):
    """An event is given up because ``workers`` workers died while they ran it alone."""

    topic: str
    partition: int
    offset: int
    workers: int


@dataclass(frozen=True, slots=True)
class MailsSent(InstrumentationEvent):
    """Mails were sent in one run. Some were ``delayed`` for another attempt, some have ``failed``, and of the
    ``unsure`` it is not known whether they were sent."""

    sent: int
    delayed: int
    failed: int
    unsure: int


@dataclass(frozen=True, slots=True)
class MailServerLost(InstrumentationEvent):
    """The mail server cannot be reached, or not as it is set; urgent mail waits."""

    error: str


@dataclass(frozen=True, slots=True)
class OutboxHeldUp(InstrumentationEvent):
    """What the worker would send does not leave: it stays in the outbox, and is tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class OutboxMovesOn(InstrumentationEvent):
    """What stood in the outbox leaves again."""


@dataclass(frozen=True, slots=True)
class PartsPaused(InstrumentationEvent):
    """So many pauses hold, now, that operators have begun: of the group, its handlers or its keys; ``what`` in
    words."""

    pauses: int
    what: str


@dataclass(frozen=True, slots=True)
class NothingPaused(InstrumentationEvent):
    """The last pause of the group has ended."""


@dataclass(frozen=True, slots=True)
class KeysElsewhere(InstrumentationEvent):
    """Events of a source were found in other partitions than their keys belong to, as this one; said once for each
    source and topic. A key of that source may have no order."""

    source: str
    topic: str
    key: str
    partition: int
    belongs: int
    advice: str


@dataclass(frozen=True, slots=True)
class EventsMisplaced(InstrumentationEvent):
    """So many of the few events that are looked at in a batch were in other partitions than their keys belong to."""

    count: int
