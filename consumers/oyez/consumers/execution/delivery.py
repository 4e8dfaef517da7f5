"""A delivery is one handler's part of one event."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import count, repeat
from typing import Any, NamedTuple

from oyez.schemas.declaration import Prerequisite

from ..core.outcomes import Outcome
from ..database.parked_row import ParkedRow
from ..handlers.registry import Handler
from .reader import Taken


class Delivery(NamedTuple):
    """One handler's part of one event: a value, that nobody changes. Two of them are never equal.

    ``at`` is the event's place in the batch; ``required`` has the prerequisites that must be met first; ``row`` is its
    row in the retry table, if it was parked; ``rank`` its place among the parked rows of its key.
    """

    handler: Handler
    taken: Taken
    at: int
    required: tuple[Prerequisite, ...] = ()
    row: ParkedRow | None = None
    rank: int = 0

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @classmethod
    def of(cls, handler: Handler, taken: Taken, at: int, row: ParkedRow | None = None) -> Delivery:
        """The handler's part of this event."""
        required = handler.required(taken.envelope["data"]) if handler.requires else ()
        return cls(handler, taken, at, required, row, 0 if row is None else row.rank)

    def with_rank(self, rank: int) -> Delivery:
        """The same at another place among the parked rows of its key."""
        return self._replace(rank=rank)

    @property
    def ordered_key(self) -> tuple[str, str] | None:
        """The (handler, key) in whose order this delivery is handled, if it is."""
        key = self.taken.envelope.get("partitionkey")
        return (self.handler.name, key) if self.handler.ordered and key is not None else None

    @property
    def prerequisite(self) -> Prerequisite | None:
        """The prerequisite that this delivery's event would meet."""
        declaration = self.taken.declaration
        subject = declaration.subject_of(self.taken.data)
        return None if subject is None else Prerequisite(declaration.name, subject)


_new = partial(tuple.__new__, Delivery)


def each_of(handler: Handler, events: Sequence[Taken]) -> list[Delivery]:
    """A handler's part of each of these events."""
    if handler.requires:
        return [Delivery.of(handler, taken, at) for at, taken in enumerate(events)]
    columns = (repeat(handler), events, count(), repeat(()), repeat(None), repeat(0))
    return list(map(_new, zip(*columns)))  # noqa: B905 # the others are endless


def payloads(deliveries: Sequence[Delivery]) -> list[Any]:
    """What the handler of these deliveries is given."""
    return payloads_for(deliveries[0].handler, deliveries)


def payloads_for(handler: Handler, deliveries: Sequence[Delivery]) -> list[Any]:
    """What a handler is given of these deliveries."""
    if handler.is_watched:
        return list(deliveries)
    if handler.wants_events:
        return [delivery.taken.event for delivery in deliveries]
    return [delivery.taken.envelope["data"] for delivery in deliveries]


Result = tuple[Delivery, Outcome]
Work = tuple[Taken, list[Delivery]]
"""One event with its deliveries."""
