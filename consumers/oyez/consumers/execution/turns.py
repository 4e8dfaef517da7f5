"""Handlers take turns where a batch's time is up before all of them have begun."""

from __future__ import annotations

from collections.abc import Sequence

from ..handlers.registry import Handler
from .delivery import Delivery

Step = tuple[Handler, list[Delivery]]


class Turns:
    """Remembers, from batch to batch, which handlers the time was up for before they had begun. It knows nothing that
    has to be right: many threads may use it, and a transaction that is rolled back may have been counted."""

    def __init__(self) -> None:
        self.owed: dict[str, None] = {}
        """The handlers that were passed over and have not begun since, those first that have waited longest."""

    def order(self, steps: Sequence[Step]) -> list[Step]:
        """The steps of a level, with what was passed over before the others. Handlers without a database parameter stay
        behind those with one: what they do is not undone."""
        places = {name: place for place, name in enumerate(list(self.owed))}
        return sorted(
            steps, key=lambda step: (not step[0].uses_database, places.get(step[0].name, len(places)))
        )

    def is_over(self, handler: Handler) -> bool:
        """Whether a handler has to wait for another batch, now that the time is up. One without a database parameter
        does not come before others: it is not passed over twice, and gets one event."""
        if not handler.uses_database and handler.name in self.owed:
            return False
        self.owed.setdefault(handler.name)
        return True

    def begins(self, handler: Handler) -> None:
        """The handler has its turn."""
        self.owed.pop(handler.name, None)
