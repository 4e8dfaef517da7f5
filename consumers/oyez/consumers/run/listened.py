"""What a bounded pass has done, and how many events it may be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listened:
    """What a pass did. An event counts once for each group that handles it, and again when what was parked of it is
    run.

    ``handled``: events of which a delivery is done or was given up. ``expired``: those that no handler was given,
    since they had expired. ``left``: records in the logs, those of other
    signals counted, as far as this pass had their partitions. ``parked``: events in the retry tables. ``broken``:
    why a group was left, by its name: nearly everything in it failed alike, and nothing of that was committed.
    ``halted``: what is not read any more, and why, a line for each group and log. ``unsaid``: the groups whose logs
    have not said what they have, since they did not answer in time or the pass was stopped before: ``left`` has
    nothing of these.
    """

    handled: int
    left: int
    parked: int
    broken: Mapping[str, str] = field(default_factory=dict)
    halted: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = field(default=(), repr=False)
    expired: int = 0
    has_failed: bool = field(default=False, repr=False, compare=False)
    """Whether something that is parked has failed, or was refused, and is not only waiting."""

    @property
    def remain(self) -> int:
        """What there is for later passes, as far as the logs have said."""
        return self.left + self.parked


def check_limit(limit: object) -> None:
    """Raises TypeError for what is no whole number, and ValueError for one below 1."""
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"limit is {limit!r}; give a whole number of events, at least 1")
    if limit < 1:
        raise ValueError(f"limit is {limit}; a pass handles at least one event")
