"""What a log says of itself to whoever looks whether all is well: versions, topics, who reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from ..database.engine import Database


class TopicFacts(NamedTuple):
    """A topic: how many ``partitions`` it has, and ``copies`` of each at least (None: that is no question there); for
    how many seconds its records are kept (None: for ever, or until they are read); and the time that its newest record
    bears, in seconds since the epoch (None: it has none, or that is not known)."""

    topic: str
    partitions: int
    copies: int | None
    retention: float | None
    newest: float | None


class Inspection(Protocol):
    """Asks, and changes nothing. Raises what a log's client raises when there is no answer."""

    def about(self) -> str:
        """What is there, in a few words. Raises `LogUnreachable`."""

    def topics(self, names: Collection[str]) -> list[TopicFacts]:
        """Those of these topics that are there."""

    def workers(self, groups: Collection[str], database: Database) -> Mapping[str, int]:
        """How many workers each of these groups has, by the log or by the database."""

    def clock_ahead(self, now: float) -> float | None:
        """By how many seconds the log's own clock is ahead of ``now``, at least; None if it is not known to be."""
