"""The subscriber that sums up how handlers fail: at once, or a minute after it told of the last failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from ..core.failure_summary import Faults
from ..core.report import Report
from . import events

EVERY = 60.0  # s between what is told of a group: thousands may fail in one


class FailureSubscriber:
    """Counts what failed and what died of each group, and tells of it by events of its own. ``timer`` is in seconds."""

    def __init__(
        self,
        tell: Callable[[events.InstrumentationEvent], None],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._timer = timer
        self._groups: dict[str, _Untold] = {}
        self._lock = Lock()  # lanes emit in threads of their own

    def receive(self, event: events.InstrumentationEvent) -> None:
        match event:
            case events.BatchHandled(group=group, report=report) | events.RowsRun(group=group, report=report):
                if report.failures or report.dead:
                    self._add(group, report)
            case events.Swept(group=group) if group in self._groups:
                self._say(group, EVERY)
            case events.WorkerStopped(group=group) if group in self._groups:
                self._say(group, 0.0)

    def _add(self, group: str, report: Report) -> None:
        with self._lock:
            untold = self._groups.setdefault(group, _Untold())
            untold.faults.merge(report.faults)
            untold.dead += report.dead
        self._say(group, EVERY)

    def _say(self, group: str, every: float) -> None:
        """Tell of what is not told yet, unless something was within so many seconds."""
        with self._lock:
            now, untold = self._timer(), self._groups[group]
            if untold.is_empty or now - untold.told_at < every:
                return
            self._groups[group] = _Untold(told_at=now)
        for handler, kind, count, first in untold.faults.each():
            self._tell(events.HandlerFailed(group, handler, kind, count, first))
        if untold.dead:
            self._tell(events.DeliveriesDied(group, untold.dead))


class _Untold:
    """What a group's handlers did since that was told last."""

    def __init__(self, told_at: float = float("-inf")) -> None:
        self.told_at = told_at
        self.faults = Faults()
        self.dead = 0

    @property
    def is_empty(self) -> bool:
        return not (self.dead or any(self.faults.each()))
