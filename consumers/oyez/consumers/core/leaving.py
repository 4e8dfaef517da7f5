"""How much of what was announced in transactions has not left."""

from __future__ import annotations

from typing import NamedTuple


class Leaving(NamedTuple):
    """Events of the outbox that wait, the age of the oldest in seconds, and those that are quarantined; events that are
    scheduled, and for how many seconds the first of them has been due. An age is 0 where there is nothing."""

    waiting: int
    oldest: float
    refused: int
    scheduled: int
    overdue: float
