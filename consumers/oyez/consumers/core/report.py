"""What one transaction did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from oyez.schemas.declaration import Prerequisite

from .failure_summary import Faults


@dataclass
class Report:
    """What one transaction did. Counts are of deliveries, but ``events`` counts those that it took in hand, ``handled``
    those of them of which a delivery is done or was given up, and ``announced`` the events that handlers have put into
    the outbox, and perhaps taken back. ``released`` has the group of each row that became due because a prerequisite
    was met, ``revived`` of which were dead letters; ``due_at`` is when the next of the group's rows that it wrote is
    due; ``failures`` counts by handler, and ``faults`` has what they raised; ``delays`` are the seconds for which
    claimed rows had been due."""

    events: int = 0
    handled: int = 0
    done: int = 0
    waiting: int = 0
    behind: int = 0
    retried: int = 0
    unrun: int = 0
    dead: int = 0
    promoted: int = 0
    released: list[str] = field(default_factory=list)
    revived: int = 0
    met: set[Prerequisite] = field(default_factory=set)
    due_at: float | None = None
    failures: Counter[str] = field(default_factory=Counter)
    faults: Faults = field(default_factory=Faults)
    delays: list[float] = field(default_factory=list)
    announced: int = 0

    def due(self, moment: float) -> None:
        """A row of the group is due at ``moment``."""
        self.due_at = moment if self.due_at is None else min(self.due_at, moment)
