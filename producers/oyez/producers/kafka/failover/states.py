"""The states of a topic's events on their way out, while Kafka comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """Where the events of a topic go."""

    DIRECT = "to the broker"
    LEAVING = "nowhere: what the broker has not acknowledged is being written to the spool"
    SPOOLING = "to the spool, until all that is in it has been acknowledged"
    CLOSED = "nowhere, for ever"


NEXT: Mapping[State, frozenset[State]] = {
    State.DIRECT: frozenset({State.LEAVING, State.CLOSED}),
    State.LEAVING: frozenset({State.SPOOLING}),
    State.SPOOLING: frozenset({State.DIRECT, State.CLOSED}),
    State.CLOSED: frozenset(),
}
"""What may follow what."""
