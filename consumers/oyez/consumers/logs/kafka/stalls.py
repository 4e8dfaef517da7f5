"""Partitions that stall silently: the client fetches nothing any more, and says nothing.

What the client knows of a partition's end comes with what it fetches, and so stays where it was: lag shows nothing. So
the broker itself is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from ...database.positions import Partition
from ..log import Remedy, Stalled
from .membership import Membership
from .standings import Standings, by_ends, by_membership

LOOK_EVERY = 5.0  # s
SILENT = 3  # looks at which the broker had more and the client, which was asked, gave nothing
QUEUED = 200_000  # records; a client has fewer fetched in advance (queued.min.messages)
REMEDIES: tuple[Remedy, ...] = ("seek", "rejoin", "restart")


class AsksBroker(Protocol):
    """Asks the broker without the member's client; see `Broker`."""

    def ask_ends(self, partitions: Collection[Partition]) -> None: ...

    def ends(self) -> Mapping[Partition, int]: ...

    def ask_group(self) -> None: ...

    def membership(self, member: str) -> Membership | None: ...

    def readable(self, positions: Mapping[Partition, int]) -> Mapping[Partition, bool]: ...


@dataclass
class _Seen:
    """Where a partition stood at the last look, and the furthest that it got; at how many looks it was ``silent``, and
    how many remedies were ``tried`` since it last got on."""

    at: int
    furthest: int
    silent: int = 0
    tried: int = 0


class Stalls:
    """Compares what comes with what the broker has. ``clock`` counts seconds."""

    def __init__(self, broker: AsksBroker, clock: Callable[[], float]) -> None:
        self._broker = broker
        self._clock = clock
        self._look_at = clock() + LOOK_EVERY
        self._seen: dict[Partition, _Seen] = {}
        self._came = 0
        self._was_empty = False
        self.standings = Standings(clock)

    def polled(self, count: int) -> None:
        """The client was asked, and gave so many records."""
        self._came += count
        self._was_empty |= not count

    def look(
        self,
        positions: Mapping[Partition, int],
        member: Callable[[], str] = str,
        held_back: AbstractSet[Partition] = frozenset(),
    ) -> list[Stalled]:
        """Partitions that stall at these positions, each with the remedy that is next. Mostly without asking: an answer
        is looked at the next time. ``member``: this member's id, for when it reads nothing. What is ``held_back`` is
        silent because it is not fetched."""
        if self._clock() < self._look_at:
            return []
        self._look_at = self._clock() + LOOK_EVERY
        ends = self._broker.ends()
        had_turn = self._had_turn()
        fetched = {p: at for p, at in positions.items() if p not in held_back}
        silent = {p: at for p, at in fetched.items() if self._is_silent(p, at, ends.get(p, 0), had_turn)}
        readable = self._broker.readable(silent) if silent else {}
        found = [self._remedied(p, at, ends[p]) for p, at in silent.items() if readable.get(p)]
        if positions:
            self.standings.note(by_ends(positions, ends, {p: readable.get(p) for p in silent}))
        else:
            self.standings.note(by_membership(self._broker.membership(member())))
            self._broker.ask_group()
        self._broker.ask_ends(positions)
        return found

    def rest(self, positions: Mapping[Partition, int]) -> None:
        """The client is not asked for records, and so nothing can stall. Only where partitions end is asked, as often
        as `look` asks it."""
        if self._clock() < self._look_at:
            return
        self._look_at = self._clock() + LOOK_EVERY
        self.standings.note(by_ends(positions, self._broker.ends(), {}))
        self._broker.ask_ends(positions)

    def ends(self) -> Mapping[Partition, int]:
        """Where partitions end, by what was asked last."""
        return self._broker.ends()

    def _had_turn(self) -> bool:
        """Whether every partition that had something would have given it since the last time this was so: the client
        was empty, or has handed out all that it can have had in front."""
        if not self._was_empty and self._came < QUEUED:
            return False
        self._was_empty, self._came = False, 0
        return True

    def _is_silent(self, partition: Partition, at: int, end: int, had_turn: bool) -> bool:
        """Whether it has been silent for long enough to be looked at closely."""
        seen = self._seen.setdefault(partition, _Seen(at, at))
        if at > seen.furthest:
            self._seen[partition] = _Seen(at, at)
            return False
        if at != seen.at or end <= at:
            seen.at, seen.silent = at, 0
            return False
        seen.silent += had_turn
        return seen.silent >= SILENT

    def _remedied(self, partition: Partition, at: int, end: int) -> Stalled:
        seen = self._seen[partition]
        remedy = REMEDIES[min(seen.tried, len(REMEDIES) - 1)]
        seen.tried, seen.silent = seen.tried + 1, 0
        return Stalled(partition, at, end, remedy)
