"""A delivery is one handler's part of one event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from oyez.schemas.declaration import Prerequisite

from ..core.outcomes import Outcome
from ..database.parked_row import ParkedRow
from ..handlers.registry import Handler
from .reader import Taken


class Delivery:
    """One handler's part of one event: a value, that nobody changes.

    ``at`` is the event's place in the batch; ``required`` has the prerequisites that must be met first; ``row`` is its
    row in the retry table, if it was parked; ``rank`` its place among the parked rows of its key.
    """

    __slots__ = ("at", "handler", "rank", "required", "row", "taken")

    def __init__(
        self, handler: Handler, taken: Taken, at: int, row: ParkedRow | None = None, rank: int | None = None
    ) -> None:
        self.at: Final = at
        self.handler: Final = handler
        self.taken: Final = taken
        self.required: Final = handler.required(taken.data) if handler.requires else ()
        self.row: Final = row
        self.rank: Final[int] = (0 if row is None else row.rank) if rank is None else rank

    def with_rank(self, rank: int) -> Delivery:
        """The same at another place among the parked rows of its key."""
        return Delivery(self.handler, self.taken, self.at, self.row, rank)

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


def payloads(deliveries: Sequence[Delivery]) -> list[Any]:
    """What the handler of these deliveries is given."""
    if deliveries[0].handler.wants_events:
        return [delivery.taken.event for delivery in deliveries]
    return [delivery.taken.envelope["data"] for delivery in deliveries]


Result = tuple[Delivery, Outcome]
Work = tuple[Taken, list[Delivery]]
"""One event with its deliveries."""
