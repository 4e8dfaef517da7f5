"""Lanes in memory whose calls begin and end when a test says so, in one thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.pipeline import Placed, known
from oyez.consumers import Application, Handlers
from oyez.consumers.core.outcomes import DONE, UNRUN, Outcome
from oyez.consumers.database.positions import Move, Partition
from oyez.consumers.execution.at_least_once import AtLeastOnceBatch
from oyez.consumers.execution.reader import Decoded, Taken
from oyez.consumers.handlers.application import Group
from oyez.consumers.handlers.registry import Handler
from oyez.consumers.lanes.by_key import ByKey, Ended, Errand
from oyez.consumers.lanes.in_memory import MemoryLanes

Where = tuple[int, int]
"""A partition's number, and an offset."""


@dataclass(frozen=True)
class Line:
    """A record."""

    number: int
    at: int

    def topic(self) -> str:
        return "pipeline"

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.at

    def key(self) -> None:
        return None

    def value(self) -> None:
        return None

    def headers(self) -> Sequence[tuple[str, bytes]]:
        return ()


class HandPool:
    """A `Pool`: `end` ends what runs."""

    hanging = 0

    def __init__(self, ended: Ended, most: int) -> None:
        self.began: list[Errand] = []
        """Each that was begun, in that order."""
        self.now: list[Errand] = []
        """What runs."""
        self._ended = ended
        self._most = most
        self._queue = ByKey(lambda errand: ended(errand, UNRUN))

    @property
    def running(self) -> int:
        return len(self.now)

    def put(self, errands: Sequence[Errand]) -> None:
        self._queue.put(errands)
        self._fill()

    def end(self, at: int, outcome: Outcome = DONE) -> Where:
        """End one of those that run."""
        errand = self.now.pop(at % len(self.now))
        self._queue.end(errand)
        self._ended(errand, outcome)
        self._fill()
        return where(errand)

    def time_out(self) -> None:
        """Nothing has a limit."""

    def stop(self) -> None:
        self._queue.clear()

    def cancel(self) -> None:
        self.now.clear()

    def _fill(self) -> None:
        while len(self.now) < self._most and (errand := self._queue.take()) is not None:
            self.now.append(errand)
            self.began.append(errand)


def where(errand: Errand) -> Where:
    """Which event it is of."""
    record: Any = errand.delivery.taken.record
    return record.partition(), record.offset()


def partition(number: int) -> Partition:
    return Partition("pipeline", "id", number)


def loose_group(lanes: int) -> Group:
    """An at-least-once group with one concurrent handler."""
    on = Handlers("shop", promises={"loose": "at-least-once"})

    @on(Placed, group="loose", concurrency=lanes)
    def handle(event: Placed) -> None:
        """It is never called."""

    return Application(on, known).groups["shop.loose"]


class ByHand:
    """One worker's lanes."""

    def __init__(self, group: Group, lanes: int, in_flight: int = 1000) -> None:
        self.now = 0.0
        self._group = group
        pools: list[HandPool] = []

        def make(_handler: Handler, ended: Ended) -> HandPool:
            pools.append(HandPool(ended, lanes))
            return pools[-1]

        self.lanes = MemoryLanes(group, make, in_flight=in_flight, timer=lambda: self.now)
        (self.pool,) = pools

    def take(self, number: int, offsets: Iterable[int], keys: Sequence[str | None]) -> None:
        """Events of a partition were read; the key of each is by its offset."""
        (declaration,) = self._group.declarations
        events = [
            Taken(
                declaration,
                {"data": Placed(n=at), "source": "web", "id": f"{number}-{at}", "partitionkey": key},  # type: ignore[typeddict-item] # what lanes look at
                Line(number, at),
            )
            for at in offsets
            for key in [keys[at % len(keys)]]
        ]
        batch = AtLeastOnceBatch(self._group, Decoded.of(events))
        self.lanes.take(batch, {}, [partition(number)])

    def reached(self, number: int, committed: int, read: int) -> int:
        """The frontier that is committed, where the log was read so far."""
        (move, *_) = [
            *self.lanes.reached([Move(partition(number), 0, committed, read)]),
            Move(partition(number), 0, committed, committed),
        ]
        return move.next
