"""Which of the events that several wait for did not arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oyez.schemas import Event

from .failures import OnUndelivered
from .loggers import logger_named

log = logger_named("oyez.announcer")

Loss = tuple[Event[Any], str]
"""An event, and why it did not arrive."""


class Lost:
    """Notes events that did not arrive, by id, and tells them to whom the application has named."""

    def __init__(self, told: OnUndelivered, read: Callable[[bytes], Event[Any]]) -> None:
        """`read` decodes an event."""
        self._told = told
        self._read = read
        self._noted: dict[str, Loss] = {}
        self.abandoned = 0
        """Events that could not be handed over when nobody waited for them any more."""

    def note(self, event: Event[Any], reason: str) -> None:
        """One event did not arrive. From any thread; it raises what the application's function does."""
        self._noted[event.id] = event, reason
        self._told(event, reason)

    def noted(self) -> int:
        """How many were noted since the last `take`."""
        return len(self._noted)

    def take(self) -> dict[str, Loss]:
        """What was noted since the last call, by id."""
        return {one: self._noted.pop(one) for one in list(self._noted)}

    def abandon(self, value: bytes, reason: str) -> None:
        """An event could not be handed over, and nobody waits for it any more. Never raises."""
        self.abandoned += 1
        try:
            self._told(self._read(value), reason)
        except Exception:
            log.exception(
                "on_undelivered failed for an event that did not leave (%s): %r", reason, value[:1000]
            )

    def forget(self) -> None:
        """Begin again, as a forked child does."""
        self._noted.clear()
        self.abandoned = 0
