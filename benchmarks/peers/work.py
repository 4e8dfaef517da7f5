"""What each peer does with an event: it validates the whole of it, and does nothing or one INSERT.

Each is a process of its own: python NAME.py nothing|insert KAFKA TOPIC DATABASE COUNT. The time is that from the first
event to the end of the last one's work, so that nobody's joining of a group counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

from pydantic import BaseModel

BATCH = 500
INSERT = "INSERT INTO effect (session_id, n) VALUES (%s, %s)"


class Viewed(BaseModel):
    session_id: str
    url: str
    n: int


class Event(BaseModel):
    specversion: str
    type: str
    source: str
    id: str
    time: str
    partitionkey: str
    data: Viewed


class Order(NamedTuple):
    """What is to be done."""

    inserts: bool
    kafka: str
    topic: str
    database: str
    count: int

    @property
    def group(self) -> str:
        """One that nobody has seen."""
        return f"peer-{uuid4().hex[:8]}"


class Timed:
    """Notes what was handled, and when."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers: list[int] = []
        self._begun = self._ended = 0.0

    def begin(self) -> None:
        """The first event is there."""
        self._begun = self._begun or time.perf_counter()

    def handled(self, numbers: Sequence[int]) -> bool:
        """Their work is done; whether that was all."""
        self._numbers += numbers
        self._ended = time.perf_counter()
        return self.is_all

    @property
    def is_all(self) -> bool:
        return len(self._numbers) >= self._count

    def tell(self) -> None:
        """Print it for the benchmark."""
        print(json.dumps({"seconds": self._ended - self._begun, "numbers": self._numbers}), flush=True)


def rows_of(events: Sequence[Event]) -> list[tuple[str, int]]:
    """What is inserted for these."""
    return [(event.data.session_id, event.data.n) for event in events]


def numbers_of(events: Sequence[Event]) -> list[int]:
    return [event.data.n for event in events]


def run(main: Callable[[Order, Timed], None]) -> None:
    """As the command line says."""
    work, kafka, topic, database, count = sys.argv[1:]
    timed = Timed(int(count))
    main(Order(work == "insert", kafka, topic, database, int(count)), timed)
    timed.tell()
