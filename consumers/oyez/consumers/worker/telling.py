"""What a worker says about once a second: how far the log has got, what its lanes do, whether it gets on."""

from __future__ import annotations

from collections.abc import Iterable

from ..execution.pauses import Pauses
from ..instrumentation import events
from ..instrumentation.emitter import Instrument
from ..instrumentation.events import LanesSeen
from ..logs.log import Log
from ..partitions.ownership import Ownership
from .asking import Asking
from .pause_watch import PauseWatch
from .stall_watch import tell_stalls


class Telling:
    """Says it for one worker of a group."""

    def __init__(
        self, group: str, source: Log, ownership: Ownership, pauses: Pauses, instrument: Instrument
    ) -> None:
        self._group = group
        self._log = source
        self._ownership = ownership
        self._instrument = instrument
        self._pause_watch = PauseWatch(group, pauses, instrument.emit)
        self._has_joined = False
        self._asking = Asking(group)

    @property
    def is_settled(self) -> bool:
        """Whether it is known what the worker has to read."""
        return self._log.is_settled() and not self._ownership.is_waiting

    def tell(self, lanes: Iterable[LanesSeen], *, is_paused: bool) -> bool:
        """Say it all; whether what is paused has changed, so that something may be due. Raises `LogError` where the
        log has stalled, and nothing but a new process helps."""
        emit = self._instrument.emit
        lags = {(p.topic, p.number): lag for p, lag in self._log.lags().items()}
        emit(events.Lagging(self._group, lags))
        for seen in lanes:
            emit(seen)
        if not self._has_joined and self.is_settled:
            self._has_joined = True
            emit(events.LogJoined(self._group))
        tell_stalls(self._log, self._ownership, self._group, self._instrument)
        emit(self._asking.ask(self._log, self._ownership.halted, is_paused=is_paused))
        return self._pause_watch.has_changed()
