"""How workers begin and end, and the base of all instrumentation events: see `events`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstrumentationEvent:
    """The base of all of them."""

    group: str


@dataclass(frozen=True, slots=True)
class WorkerStarted(InstrumentationEvent):
    """A worker begins its rounds. ``handlers`` are the names of its group's."""

    handlers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerStopped(InstrumentationEvent):
    """A worker has left its group as it was told to. Counts are of deliveries, since it started."""

    handled: int
    parked: int
    released: int
    dead: int
    expired: int = 0


@dataclass(frozen=True, slots=True)
class WorkerFailed(InstrumentationEvent):
    """An error ended a worker's rounds: its process ends."""

    error: str
    cause: BaseException


@dataclass(frozen=True, slots=True)
class WorkerMoves(InstrumentationEvent):
    """A worker has left a process that it shared; it is started again in one of its own."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerDied(InstrumentationEvent):
    """A process ended that should not have; it is started again ``delay_seconds`` later."""

    worker: str
    how: str
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerKilled(InstrumentationEvent):
    """A process did not stop within ``seconds`` when it was told to."""

    worker: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SlowToStop(InstrumentationEvent):
    """A worker was told to stop ``seconds`` ago and still is in ``place``; its database connections are ended."""

    seconds: float
    place: str
