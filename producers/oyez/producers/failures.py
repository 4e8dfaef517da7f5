"""What was announced and did not arrive."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from oyez.schemas import Catalogue, Event, OyezError, decode

from .errors import Undelivered
from .loggers import logger_named

log = logger_named("oyez.announcer")

OnUndelivered = Callable[[Event[Any], str], None]

_KEPT = 100_000


def log_undelivered(event: Event[Any], reason: str) -> None:
    """What is done with an event that did not arrive, unless told otherwise: an error in the log."""
    log.error("event %s %s (key %s) did not arrive: %s", event.signal, event.id, event.key, reason)


class Failures:
    """Collects failures until they are raised, the last 100,000 of them."""

    def __init__(self, told: OnUndelivered, catalogue: Catalogue) -> None:
        self._told = told
        self._catalogue = catalogue
        self.forget()

    def forget(self) -> None:
        """Begin again, as a forked child does: what failed is its parent's to tell."""
        self.total = 0
        self._raised = 0
        self._raising = threading.Lock()
        self._events: deque[tuple[Event[Any], str]] = deque(maxlen=_KEPT)

    def add(self, value: bytes, reason: str) -> None:
        """One event did not arrive. Never raises: it is called from within librdkafka."""
        self.total += 1
        try:
            event = decode(value, (), None, self._catalogue)
        except OyezError:
            log.exception("an event that did not arrive (%s) cannot be decoded: %r", reason, value[:1000])
            return
        self._events.append((event, reason))
        try:
            self._told(event, reason)
        except Exception:
            log.exception("on_undelivered failed for event %s", event.id)

    def raise_new(self) -> None:
        """Undelivered: with what has failed since the last call."""
        if (new := self.take_new()) is not None:
            raise new

    def take_new(self) -> Undelivered | None:
        """The error that says what has failed since the last call, if something has."""
        with self._raising:
            failures = [self._events.popleft() for _ in range(len(self._events))]
            new, self._raised = self.total - self._raised, self.total
        return Undelivered(failures, new) if new else None
