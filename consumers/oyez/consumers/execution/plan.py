"""The plan of a batch: what runs, in which order, and what parks, supposing that no handler fails.

Shares run handler by handler, so that a batch handler gets as many events as it can. A share that needs what
the batch itself completes runs one level later; within a (handler, key) the levels never go back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..handlers.registry import Handler
from .delivery import Result, Share
from .reader import Taken
from .readiness import Readiness

Work = tuple[Taken, list[Share]]
"""One event with its shares."""

Completing = Mapping[str, frozenset[str]]


class Plan:
    """Levels of shares to run, each by handler; ``parked`` has the shares that are not ready."""

    def __init__(self, works: Sequence[Work], readiness: Readiness, completing: Completing) -> None:
        self.levels: list[dict[Handler, list[Share]]] = [{}]
        self.parked: list[Result] = []
        self._key_levels: dict[tuple[str, str], int] = {}
        self._readiness = readiness
        if readiness.holds_nothing_back(shares for _, shares in works):
            self._add_all(works)
            return
        for taken, shares in works:
            self._add(taken, shares, completing.get(taken.declaration.name, frozenset()))

    def _add_all(self, works: Sequence[Work]) -> None:
        """Nothing is parked and nothing is required: everything runs, on one level."""
        level = self.levels[0]
        for _, shares in works:
            for share in shares:
                if share.handler in level:
                    level[share.handler].append(share)
                else:
                    level[share.handler] = [share]

    def _add(self, taken: Taken, shares: list[Share], completing: frozenset[str]) -> None:
        last, complete = 0, bool(completing)
        for share in shares:
            outcome = self._readiness.gate(share)
            if outcome is not None:
                self._readiness.park(share, outcome)
                self.parked.append((share, outcome))
                complete = complete and share.handler.name not in completing
                continue
            level = self._level(share)
            last = max(last, level)
            self._at(level).setdefault(share.handler, []).append(share)
        if complete and taken.declaration.subject is not None and all(s.is_last for s in shares):
            self._readiness.complete(shares[0].pair, last)

    def _level(self, share: Share) -> int:
        level = self._readiness.level(share)
        if len(self.levels) == 1 and level == 0:
            return 0
        key = share.ordered_key
        if key is not None:
            level = max(level, self._key_levels.get(key, 0))
            self._key_levels[key] = level
        return level

    def _at(self, level: int) -> dict[Handler, list[Share]]:
        while len(self.levels) <= level:
            self.levels.append({})
        return self.levels[level]

    def steps(self) -> Iterator[tuple[Handler, list[Share]]]:
        """What to call, in order; within a level, handlers without a database parameter come last."""
        for level in self.levels:
            yield from sorted(level.items(), key=lambda step: not step[0].uses_database)

    @property
    def is_flat(self) -> bool:
        """Whether nothing in the batch depends on something else in it."""
        return len(self.levels) == 1
