"""What a run of a kit has done, and what it has left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .deliveries import DeadDelivery, ParkedDelivery

NOTHING = (
    "nothing was announced to this kit since the last run; code that makes its own announcer reaches it "
    "with OYEZ_TRANSPORT=memory, set at the top of conftest.py (a live kit: in the topics of its settings)"
)


@dataclass(frozen=True, repr=False)
class Ran:
    """It is true if everything was handled: then nothing waits, and nothing was given up. If there was nothing to
    handle, it is not true: see ``idle``.

    ``handled`` counts the events of which a delivery was done or given up, once for each group; ``expired`` those that
    no handler was given, since they had expired. ``broken`` says why a group was left, by its name: nearly everything
    in it failed alike, and nothing of that was committed. ``halted`` and ``problem`` say what cannot be read, and what
    does not leave the outbox. ``seed`` is that of `order="any"`. ``idle``: nothing was announced since the run before,
    nothing was due, and no time had passed.
    """

    handled: int
    parked: Sequence[ParkedDelivery]
    dead: Sequence[DeadDelivery]
    broken: Mapping[str, str]
    halted: Sequence[str]
    problem: str | None
    seed: int | None
    idle: bool = False
    expired: int = 0

    def __bool__(self) -> bool:
        return not self.idle and not any(True for _ in self.left())

    def left(self) -> Iterator[str]:
        """A line for each thing that is not as it should be."""
        yield from map(repr, self.parked)
        yield from map(repr, self.dead)
        yield from (f"<{group} is left: {why}>" for group, why in self.broken.items())
        yield from (f"<{line}>" for line in self.halted)
        if self.problem is not None:
            yield f"<the outbox is held up: {self.problem}>"

    def __repr__(self) -> str:
        seed = "" if self.seed is None else f", order='any', seed={self.seed}"
        left = list(self.left())
        shown = f": {'; '.join(left)}" if left else ""
        shown += f"; {NOTHING}" if self.idle else ""
        ended = f"{self.handled} handled" + (f", {self.expired} expired" if self.expired else "")
        return f"<Ran: {ended}, {len(left)} left{seed}{shown}>"
