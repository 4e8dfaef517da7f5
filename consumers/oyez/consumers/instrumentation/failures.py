"""Instrumentation events of how handlers fail; see `events`."""

from __future__ import annotations

from dataclasses import dataclass

from .lives import InstrumentationEvent


@dataclass(frozen=True, slots=True)
class HandlerFailed(InstrumentationEvent):
    """A handler failed with a type of error, so many times since that was told last; ``error`` is the first one's."""

    handler: str
    kind: str
    count: int
    error: str


@dataclass(frozen=True, slots=True)
class DeliveriesDied(InstrumentationEvent):
    """So many deliveries became dead letters since that was told last."""

    count: int


@dataclass(frozen=True, slots=True)
class HandlersFoundBroken(InstrumentationEvent):
    """Nearly all of a batch failed alike: it was not committed, and is tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class HandlersRepaired(InstrumentationEvent):
    """The batch that nearly all handlers failed for is committed."""
