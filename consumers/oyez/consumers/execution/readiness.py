"""Ready or not: may a share run now, or what does it wait for?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from sqlalchemy import Connection

from oyez.schemas import Pair

from ..database import prerequisites as pairs
from ..database.parked import HandlerKey, Head
from .delivery import BEHIND, Behind, Failed, Outcome, Share, Waits
from .reader import Taken

SEEN_FOR = 3_600.0
"""For how many seconds, at most, a process does not ask again for a pair that it has seen met."""


class MetPairs:
    """The pairs that this process has seen met. They need not be asked for again, for a while: it has to be seen now
    and then that a pair is in use, or it is forgotten."""

    def __init__(self, limit: int = 200_000) -> None:
        self._limit = limit // 2
        self._pairs: OrderedDict[Pair, None] = OrderedDict()
        self._earlier: OrderedDict[Pair, None] = OrderedDict()
        self._since = float("-inf")

    def __contains__(self, pair: Pair) -> bool:
        return pair in self._pairs or pair in self._earlier

    def age(self, now: float) -> None:
        """It is ``now``: forget what was added too long ago."""
        age = now - self._since
        if not 0 <= age < SEEN_FOR / 3:
            self._earlier = self._pairs if 0 <= age < SEEN_FOR * 2 / 3 else OrderedDict()
            self._pairs, self._since = OrderedDict(), now

    def add(self, pairs: Iterable[Pair]) -> None:
        for pair in pairs:
            self._pairs[pair] = None
        while len(self._pairs) > self._limit:
            self._pairs.popitem(last=False)


def ask(db: Connection, app: str, works: Iterable[tuple[Taken, list[Share]]], met: MetPairs) -> set[Pair]:
    """Ask for the prerequisites of these events that were not seen met before; returns those that are unmet."""
    asked = {pair for _, shares in works for share in shares for pair in share.required if pair not in met}
    found = pairs.met(db, app, asked)
    met.add(found)
    return asked - found


class Readiness:
    """What is known while one batch is decided: pairs met, pairs completed by the batch itself, and parked heads."""

    def __init__(self, met: MetPairs, heads: dict[HandlerKey, Head]) -> None:
        self._met = met
        self._heads = heads
        self._completed: dict[Pair, int] = {}

    def holds_nothing_back(self, events: Iterable[list[Share]]) -> bool:
        """Whether nothing is parked for these events' keys and none of them requires anything."""
        return not self._heads and not any(share.required for shares in events for share in shares)

    def gate(self, share: Share) -> Waits | Behind | None:
        """None when the share may run; otherwise what it waits for.

        An event that meets what the head of its key waits for goes before the head: behind it, both would
        wait for ever.
        """
        if (
            self._heads
            and (key := share.ordered_key) is not None
            and (head := self._heads.get(key)) is not None
        ):
            if head.waits is None or head.waits != share.pair:
                return BEHIND
            share.turn = head.turn - 1
        for pair in share.required:
            if pair not in self._met and pair not in self._completed:
                return Waits(pair)
        return None

    def park(self, share: Share, outcome: Outcome) -> None:
        """Later events of this share's key are behind it from now on."""
        key = share.ordered_key
        if key is not None and isinstance(outcome, Waits | Failed):
            self._heads[key] = Head(share.turn, outcome.pair if isinstance(outcome, Waits) else None)

    def complete(self, pair: Pair | None, level: int = 0) -> None:
        """A pair that this very batch completes at ``level``, for the events that follow."""
        if pair is not None:
            self._completed[pair] = level

    def level(self, share: Share) -> int:
        """The first level at which a share may run: after everything of this batch that it waits for."""
        if not self._completed or not share.required:
            return 0
        completed = (self._completed.get(pair, -1) for pair in share.required)
        return max(completed, default=-1) + 1
