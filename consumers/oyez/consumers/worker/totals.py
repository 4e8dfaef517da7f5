"""What a worker has done since it started."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.failure_summary import Faults
from ..core.report import Report
from ..instrumentation.events import WorkerStopped


@dataclass
class Tally:
    """Counts of deliveries, but for ``events``, ``handled`` and ``expired_events``, ``failed``, which are attempts, and
    ``faults``; see `Report`."""

    events: int = 0
    handled: int = 0
    expired_events: int = 0
    done: int = 0
    parked: int = 0
    released: int = 0
    revived: int = 0
    dead: int = 0
    expired: int = 0
    failed: int = 0
    faults: Faults = field(default_factory=Faults)

    @property
    def is_empty(self) -> bool:
        """Whether no delivery was handled, parked, released or given up, or has expired."""
        return not (self.done or self.parked or self.released or self.dead or self.revived or self.expired)

    def add(self, report: Report) -> int:
        """Count this too; returns of how many deliveries something has become."""
        self.events += report.events
        self.handled += report.handled
        self.expired_events += report.expired_events
        self.done += report.done
        parked = (
            report.waiting + report.behind + report.retried + report.unrun + report.queued + report.paused
        )
        self.parked += parked
        self.released += len(report.released) - report.revived
        self.revived += report.revived
        self.dead += report.dead
        self.expired += report.expired
        if report.failures:
            self.failed += sum(report.failures.values())
            self.faults.merge(report.faults)
        return report.done + parked + report.dead + report.expired

    def merge(self, other: Tally) -> None:
        """Add what another has counted."""
        self.events += other.events
        self.handled += other.handled
        self.expired_events += other.expired_events
        self.done += other.done
        self.parked += other.parked
        self.released += other.released
        self.revived += other.revived
        self.dead += other.dead
        self.expired += other.expired
        self.failed += other.failed
        self.faults.merge(other.faults)

    def stopped(self, group: str) -> WorkerStopped:
        """What a worker of ``group`` says of all that at its end."""
        return WorkerStopped(group, self.done, self.parked, self.released, self.dead, self.expired)
