"""Whether something has changed: one look for all viewers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy.exc import SQLAlchemyError

from oyez.schemas import OyezError

VIEWERS = 50
"""Viewers that are told at once; others have to ask for themselves."""
EVERY = 1.0
"""Seconds between two looks, while there are viewers."""


class Changes:
    """What viewers have in common. They ask in turn, in the event loop; however many there are, it is looked once in a
    second, in a thread of its own, and not at all while there are none."""

    def __init__(
        self,
        look: Callable[[], object],
        *,
        viewers: int = VIEWERS,
        every: float = EVERY,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``look`` gives something that is another if something has changed. If it raises an error of Oyez's or
        SQLAlchemy's, that cannot be seen now."""
        self._look = look
        self._most = viewers
        self.every = every
        self._timer = timer
        self._viewers = 0
        self._mark: object = None
        self._looked = float("-inf")
        self._is_looking = False
        self._limiter: CapacityLimiter | None = None
        self.is_over = False

    def end(self) -> None:
        """Let all viewers go: what serves them stops."""
        self.is_over = True

    @contextmanager
    def viewer(self) -> Iterator[bool]:
        """One more, until the end of the block; False if there are too many."""
        has_room = self._viewers < self._most and not self.is_over
        self._viewers += has_room
        try:
            yield has_room
        finally:
            self._viewers -= has_room

    async def mark(self) -> object:
        """What was seen in the last second. While it cannot be seen it stays what it was."""
        if self._is_looking or self._timer() - self._looked < self.every:
            return self._mark
        self._is_looking = True
        try:
            self._limiter = self._limiter or CapacityLimiter(1)
            self._mark = await run_sync(self._seen, limiter=self._limiter)
        finally:
            self._is_looking = False
            self._looked = self._timer()
        return self._mark

    def _seen(self) -> object:
        try:
            return self._look()
        except (OyezError, SQLAlchemyError):
            return self._mark
