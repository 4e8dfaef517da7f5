"""When parked rows are due: at a time, or at once.

A row that was released, or has become the head of its key, is due at once, whatever any clock says now or will say
later. Its ``due_at`` is so long ago that no clock could be before it, and still says when that was.
"""

from __future__ import annotations

LONG_AGO = 1e10  # s; some three hundred years


def at_once(now: float) -> float:
    """The ``due_at`` of what is due from now on, whatever the time."""
    return now - LONG_AGO


def due_since(due_at: float) -> float:
    """The time at which a row became due, or will: of one that is due at once too."""
    return due_at + LONG_AGO if due_at < 0.0 else due_at
