"""What is to be called once a transaction is committed."""

from __future__ import annotations

from collections.abc import Callable

from oyez.producers.loggers import logger_named

from ..core.user_errors import in_one_line

log = logger_named("oyez.worker")


class AfterCommit:
    """Calls in their order. Those that were added since a place go with what was done since."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []
        self._places: dict[object, int] = {}

    def add(self, call: Callable[[], object]) -> None:
        """Call this after the others."""
        self._calls.append(call)

    def mark(self, place: object) -> None:
        """Remember a place by anything that can be looked up."""
        self._places[place] = len(self._calls)

    def back_to(self, place: object) -> None:
        """What was added since is not called."""
        del self._calls[self._places.get(place, 0) :]

    def run(self) -> None:
        """It is committed. One that fails keeps no other from being called, and changes nothing of what was done: it is
        logged."""
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception as error:  # noqa: BLE001 # it is the user's
                log.error("what was to be called after the commit failed: %s", in_one_line(error))
