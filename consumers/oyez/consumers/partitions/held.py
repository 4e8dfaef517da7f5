"""What a worker believes of a partition, beside what the database says."""

from __future__ import annotations

from ..database.positions import Held


def has_moved(held: Held, now: Held | None) -> bool:
    """Whether somebody else has changed a row."""
    if now is None:
        return True
    return (held.epoch, held.position, held.again_below) != (now.epoch, now.position, now.again_below) or (
        now.halted is not None
    )
