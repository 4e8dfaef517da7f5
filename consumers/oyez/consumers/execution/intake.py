"""Where a transaction's events come from: a batch of a log, or a claim of parked rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from ..core.deadline import Deadline
from .cut import Place
from .delivery import Result, Work
from .readiness import Known, MetPrerequisites


@dataclass(frozen=True, slots=True)
class Load:
    """What a transaction has taken: events with their deliveries. ``claimed`` has the ids of the rows that it holds,
    ``delays`` the seconds for which those had been due that are due by themselves, ``dead`` counts those that had to be
    given up."""

    works: Sequence[Work]
    claimed: Sequence[int] = ()
    delays: Sequence[float] = ()
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be settled of what was run: all, unless the time was up. ``ends`` says where a batch was cut, in each
    partition in which it was."""

    results: Sequence[Result]
    ends: Mapping[Place, int] = field(default_factory=dict)


class Intake(Protocol):
    """Takes events, in the transaction in which they are handled. It holds nothing that changes: the same intake is
    taken again when its transaction was rolled back."""

    def take(self, db: Connection, now: float) -> Load:
        """Take them."""

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """What is known of what they wait for."""

    def keep(self, db: Connection, results: Sequence[Result], deadline: Deadline) -> Kept:
        """What is to be settled, of results that are not all done. May raise `HandlersBroken`."""

    def finish(self, db: Connection, kept: Kept, now: float) -> int:
        """Give up what is no event; returns how many."""
