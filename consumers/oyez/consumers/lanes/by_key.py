"""Which of the deliveries that wait for a lane may be begun: of a key, one at a time, in the order of the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..core.outcomes import Outcome
from ..execution.delivery import Delivery
from .frontier import Flight


class Errand(NamedTuple):
    """One delivery that is to be run in memory, and the event's flight."""

    delivery: Delivery
    flight: Flight


Ended = Callable[[Errand, Outcome], None]
"""Is told what came of an errand, in whichever thread it ran."""


class ByKey:
    """The deliveries of one handler. It belongs to one thread, or to whoever holds a lock."""

    def __init__(self, dropped: Callable[[Errand], None]) -> None:
        """``dropped`` is told of what is not begun, because it is forgotten."""
        self._dropped = dropped
        self._ready: deque[Errand] = deque()
        self._behind: dict[str, deque[Errand]] = {}
        """By key, of which one is ready or running: those that come after it."""
        self._is_held = False

    def put(self, errands: Iterable[Errand]) -> None:
        """These are to be begun, in this order."""
        behind, ready = self._behind, self._ready
        for errand in errands:
            key = errand.delivery.taken.key
            if key is None:
                ready.append(errand)
            elif key in behind:
                behind[key].append(errand)
            else:
                behind[key] = deque()
                ready.append(errand)

    def take(self) -> Errand | None:
        """The next one that may be begun; None if there is none, or all are held. What is forgotten is dropped."""
        while self._ready and not self._is_held:
            errand = self._ready.popleft()
            if not errand.flight.is_forgotten:
                return errand
            self.end(errand)
            self._dropped(errand)
        return None

    def end(self, errand: Errand) -> None:
        """One that was taken runs no more: the next of its key may."""
        key = errand.delivery.taken.key
        if key is None:
            return
        behind = self._behind[key]
        if behind:
            self._ready.append(behind.popleft())
        else:
            del self._behind[key]

    def hold(self) -> None:
        """Keep them, and give none until `go_on`."""
        self._is_held = True

    def go_on(self) -> None:
        """They may be taken again."""
        self._is_held = False

    def clear(self) -> None:
        """Begin nothing more."""
        self._ready.clear()
        for behind in self._behind.values():
            behind.clear()
