"""What a worker believes of a partition, beside what the database says."""

from __future__ import annotations

from ..database.positions import Held

ACQUISITIONS = 3  # epochs without progress, after which events are handled one at a time


def has_moved(held: Held, now: Held | None) -> bool:
    """Whether somebody else has changed a row."""
    if now is None:
        return True
    return (held.epoch, held.position, held.again_below) != (now.epoch, now.position, now.again_below) or (
        now.halted is not None
    )


def is_suspected(held: Held) -> bool:
    """Whether workers have died without getting on in a partition, as far as its row tells."""
    return held.acquisitions > ACQUISITIONS or held.suspect is not None
