"""What one transaction did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from oyez.schemas.declaration import Prerequisite

from .failure_summary import Faults


@dataclass(frozen=True)
class Report:
    """What one transaction did. Counts are of deliveries, but ``events`` counts those that it took in hand,
    ``handled`` those of them of which a delivery is done or was given up, ``expired_events`` those that have only
    expired, and ``announced`` the events that handlers have put into the outbox, and perhaps taken back; ``queued``
    are left for a lane. ``released`` has the group of each row that became due because a prerequisite was met,
    ``revived`` of which were dead letters, and ``may_be_more`` says whether that was not all; ``due_in`` has the
    seconds until the next of the group's rows that it wrote is due; ``failures`` counts by handler, and ``faults``
    has what they raised. Of a claim, ``claimed`` has the ids of the rows that it held, and ``delays`` the seconds for
    which they had been due; of a batch that was cut, ``ends`` says where, by topic and partition. ``seconds`` is what
    its handlers took, and ``fresh`` has what it has parked for lanes."""

    events: int = 0
    handled: int = 0
    expired_events: int = 0
    done: int = 0
    waiting: int = 0
    behind: int = 0
    retried: int = 0
    unrun: int = 0
    queued: int = 0
    paused: int = 0
    dead: int = 0
    expired: int = 0
    promoted: int = 0
    released: Sequence[str] = ()
    revived: int = 0
    may_be_more: bool = False
    met: AbstractSet[Prerequisite] = frozenset()
    due_in: float | None = None
    failures: Counter[str] = field(default_factory=Counter)
    faults: Faults = field(default_factory=Faults)
    claimed: Sequence[int] = ()
    delays: Sequence[float] = ()
    announced: int = 0
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    seconds: float = 0.0
    fresh: Sequence[Any] = ()
