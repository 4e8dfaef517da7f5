"""A reading that is done with what it has read when its round ends: nothing is ever under way between two rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..core.report import Report
from ..database.positions import Move
from ..instrumentation.events import LanesSeen

Stopped = Callable[[], bool]


class InStep:
    """What a worker asks of a reading besides its rounds."""

    def reached(self, moves: list[Move]) -> list[Move]:
        """As much of these moves as may be committed."""
        return moves

    @property
    def is_under_way(self) -> bool:
        """Whether something that was read is not done yet."""
        return False

    def land(self, stopped: Stopped) -> Sequence[Report]:
        """Wait until nothing is under way, or ``stopped()``."""
        return ()

    def rest(self, stopped: Stopped, at_rest: Callable[[], None]) -> Sequence[Report]:
        """Begin nothing before the next round. Calls ``at_rest`` if nothing runs any more."""
        at_rest()
        return ()

    def seen(self, lanes: Iterable[LanesSeen]) -> Iterable[LanesSeen]:
        """What the handlers do now, by what their ``lanes`` over the retry table say."""
        return lanes

    def stop(self) -> None:
        """Begin nothing more."""

    def leave(self) -> None:
        """Let go of everything, whatever has happened."""

    def finish(self) -> Sequence[Report]:
        """Wait for what is under way as long as is set, then end it; what has come of it."""
        return ()
