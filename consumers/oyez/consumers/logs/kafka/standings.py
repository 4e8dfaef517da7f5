"""How a member stands, by what the broker answers: whether there is anything left for it to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...database.positions import Partition
from ..log import DONE, Standing
from .membership import Membership

PATIENCE = 15.0  # s without an answer, after which the one before holds no more


class Standings:
    """Keeps the last answer, as long as it may be believed. ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answered = clock()
        self._last = Standing("outside", "the broker has not been asked yet")

    def note(self, said: Standing | None) -> None:
        """The answer to a question; None if there was none."""
        if said is not None:
            self._last, self._answered = said, self._clock()

    def last(self) -> Standing:
        """How the member stands."""
        silent = self._clock() - self._answered
        return (
            Standing("silent", f"the broker has not answered for {silent:.0f} s")
            if silent > PATIENCE
            else self._last
        )


def by_ends(
    positions: Mapping[Partition, int],
    ends: Mapping[Partition, int],
    readable: Mapping[Partition, bool | None],
) -> Standing | None:
    """By where the broker says that partitions end. ``readable`` are those that were looked at closely, since nothing
    came of them: whether another client finds something there; None if it had no answer."""
    is_whole = True
    for partition, at in positions.items():
        end = ends.get(partition)
        closely = readable.get(partition, True)
        if end is None or (end > at and closely is None):
            is_whole = False
        elif end > at and closely:
            return Standing(
                "more", f"{partition.topic} partition {partition.number} has records from {at} to {end}"
            )
    return DONE if is_whole else None


def by_membership(found: Membership | None) -> Standing | None:
    """By what the broker says of a member that reads nothing."""
    if found is None:
        return None
    if found.forming:
        return Standing("outside", f"the broker says of the group: {found.forming}")
    if not found.is_member:
        return Standing("outside", "the broker does not count it among the members of the group")
    if found.partitions:
        return Standing(
            "more", f"the broker says that {found.partitions} partitions are its, and it reads none"
        )
    return DONE
