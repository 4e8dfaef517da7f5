"""How a worker says what is paused."""

from __future__ import annotations

from collections.abc import Callable

from ..execution.pauses import Pauses
from ..instrumentation import events
from ..instrumentation.events import InstrumentationEvent


class PauseWatch:
    """Tells it whenever it has changed."""

    def __init__(self, group: str, pauses: Pauses, emit: Callable[[InstrumentationEvent], None]) -> None:
        self._group = group
        self._pauses = pauses
        self._emit = emit
        self._told: tuple[str, ...] = ()

    def has_changed(self) -> bool:
        """Tell it; whether there is something new. What was held up may be due then."""
        paused = self._pauses.now
        said = () if paused is None else paused.said
        if said == self._told:
            return False
        self._told = said
        self._emit(
            events.PartsPaused(self._group, len(said), "; ".join(said))
            if said
            else events.NothingPaused(self._group)
        )
        return True
