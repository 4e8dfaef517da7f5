"""Doing something to many deliveries in steps of one transaction each, so that no lock is held for long.

Whoever has claimed a row of the retry table locks prerequisites afterwards. Here prerequisites are locked already,
so nobody is waited for: what somebody else has locked is left, and tried again when everything else is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Table

from oyez.schemas.declaration import Prerequisite

from ..database import delivery_filter
from ..database.delivery_filter import Filter
from ..database.engine import Database
from .counts import Counts
from .pacing import Pacing

W_contra = TypeVar("W_contra", contravariant=True)
W = TypeVar("W")

PAUSE = 0.1  # s; between two attempts at what somebody else has locked


@dataclass
class Tally(Counts):
    """What was done. Counts of deliveries.

    ``chosen`` were found by the filter when the command began. Each of them was ``done`` (released, handled, retried or
    discarded), was handled and failed or waits (``again``), died (``dead``), had ``expired``, or was left: ``behind``
    an earlier one of its key, its handler ``unregistered``, ``undecodable`` still, in the hands of a worker all the
    time (``busy``), or not begun when the command was ``stopped``.
    What is missing from these was not there any more.
    ``met`` are the prerequisites that this met, ``released`` the number of deliveries that had waited for them,
    ``revived`` of those that had died waiting; ``may_be_more``: workers and sweeps may release and revive more of both.
    """

    chosen: int = 0
    done: int = 0
    again: int = 0
    dead: int = 0
    expired: int = 0
    behind: int = 0
    unregistered: int = 0
    undecodable: int = 0
    busy: int = 0
    stopped: int = 0
    released: int = 0
    revived: int = 0
    may_be_more: bool = False
    met: list[Prerequisite] = field(default_factory=list)


@dataclass
class Step:
    """What one step did, and which deliveries it left because somebody else has them."""

    tally: Tally
    left: Sequence[int] = ()


class Operation(Protocol[W_contra]):
    """Something that is done to what a filter finds."""

    def begin(self) -> None:
        """All deliveries that are left will be tried, from the first."""

    def step(self, db: Connection, ids: Sequence[int], wanted: W_contra) -> Step:
        """Do it to some of them, in their order, in one transaction, which may have to be tried again."""


class Steps:
    """Does what an operation does to all that a filter finds. What somebody else has in hand is tried again for
    ``timeout`` seconds, when the rest is done."""

    def __init__(
        self,
        database: Database,
        pacing: Pacing | None = None,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self.pacing = pacing or Pacing()
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep

    def choose(self, table: Table, wanted: Filter) -> list[int]:
        """The ids of what the filter finds now, in order."""
        with self._database.reading() as db:
            return delivery_filter.chosen(db, table, wanted)

    def apply(
        self,
        operation: Operation[W],
        ids: Sequence[int],
        wanted: W,
        on_step: Callable[[int], None] = lambda _count: None,
    ) -> Tally:
        """Do it to the deliveries with these ids, as far as the filter still finds them. ``on_step`` is told how
        many more are settled; what was committed stays, whatever happens later.
        """
        total = Tally(chosen=len(ids))
        left = self._once(operation, ids, wanted, total, on_step)
        limit = self._clock() + self._timeout
        while left and not self.pacing.stopped():
            if self._clock() > limit:
                total.busy += len(left)
                return total
            self._sleep(PAUSE)
            left = self._once(operation, left, wanted, total, on_step)
        total.stopped += len(left)
        return total

    def _once(
        self,
        operation: Operation[W],
        ids: Sequence[int],
        wanted: W,
        total: Tally,
        on_step: Callable[[int], None],
    ) -> list[int]:
        operation.begin()
        left: list[int] = []
        begun = 0
        for some in self.pacing.steps(ids):
            begun += len(some)
            step = self._database.repeat(partial(operation.step, ids=some, wanted=wanted))
            total.add(step.tally)
            left.extend(step.left)
            on_step(len(some) - len(step.left))
        return [*left, *ids[begun:]]


def in_order(some: Iterable[int], ids: Sequence[int]) -> list[int]:
    """``some`` of ``ids``, in their order."""
    wanted = set(some)
    return [number for number in ids if number in wanted]


def busy(
    db: Connection, table: Table, ids: Sequence[int], locked: Iterable[int], wanted: Filter
) -> list[int]:
    """Those of ``ids`` that are there, but could not be locked."""
    got = set(locked)
    missing = [number for number in ids if number not in got]
    if not missing:
        return []
    there = {row.id for row in delivery_filter.read(db, table, missing, wanted, "id")}
    return [number for number in missing if number in there]
