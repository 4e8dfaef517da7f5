"""A delivery is one handler's part of one event. Its outcome is one of a closed set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oyez.schemas.declaration import Prerequisite

from ..database.claims import ParkedRow
from ..handlers.registry import Handler
from .reader import Taken


class Delivery:
    """One handler's part of one event.

    ``at`` is the event's place in the batch; ``required`` has the prerequisites that must be met first; ``row`` is its
    row in the retry table, if it was parked; ``rank`` its place among the parked rows of its key; ``is_last``
    says that its event has no other delivery left that has to be done, beside those of its own batch;
    ``answered`` has those of the prerequisites that the application's own tables say are met.
    """

    __slots__ = ("answered", "at", "handler", "is_last", "rank", "required", "row", "taken")

    def __init__(self, handler: Handler, taken: Taken, at: int, row: ParkedRow | None = None) -> None:
        self.at = at
        self.handler = handler
        self.taken = taken
        self.required = handler.required(taken.data) if handler.requires else ()
        self.row = row
        self.rank = 0 if row is None else row.rank
        self.is_last = row is None
        self.answered: tuple[Prerequisite, ...] = ()

    @property
    def ordered_key(self) -> tuple[str, str] | None:
        """The (handler, key) in whose order this delivery is handled, if it is."""
        key = self.taken.key
        return (self.handler.name, key) if self.handler.ordered and key is not None else None

    @property
    def prerequisite(self) -> Prerequisite | None:
        """The prerequisite that this delivery's event would meet."""
        declaration = self.taken.declaration
        subject = declaration.subject_of(self.taken.data)
        return None if subject is None else Prerequisite(declaration.name, subject)


def payloads(deliveries: Sequence[Delivery]) -> list[Any]:
    """What the handler of these deliveries is given."""
    if deliveries[0].handler.wants_events:
        return [delivery.taken.event for delivery in deliveries]
    return [delivery.taken.data for delivery in deliveries]


@dataclass(frozen=True, slots=True)
class Done:
    """The handler returned. There is one of these, `DONE`."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Not ready: ``prerequisite`` is not met; ``raised`` says whether the handler itself asked for it."""

    prerequisite: Prerequisite
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Behind:
    """Not ready: an earlier event of its key is parked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised, or asked for another attempt; ``kind`` is the type of what it raised, if it failed."""

    error: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up."""

    reason: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Unrun:
    """Ready, but the batch's time was up before the handler was called."""


Outcome = Done | Waits | Behind | Failed | Dead | Unrun
DONE = Done()
BEHIND = Behind()
UNRUN = Unrun()
Result = tuple[Delivery, Outcome]
