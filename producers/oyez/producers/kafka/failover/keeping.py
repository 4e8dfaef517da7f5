"""Writing what was not delivered to the spool, and forcing it to disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...errors import TransportRefused
from ...pieces import pieces
from .lane import Lane
from .order import in_announce_order
from .outlet import Failed


def keep(failed: Sequence[Failed], lanes: Mapping[str, Lane]) -> list[Failed]:
    """Spool what was not delivered, in the order in which it was announced; what could not be."""
    lost: list[Failed] = []
    for topic, events in in_announce_order(failed).items():
        for piece in pieces(events, lambda one: len(one.value)):
            why = lanes[topic].append_all([one.value for one in piece])
            lost.extend(one._replace(reason=f"{one.reason}; {why}") for one in piece if why)
    return lost


def force(ways: Sequence[Callable[[], str | None]]) -> None:
    """Each log, whatever becomes of the others. TransportRefused: one could not be forced to disk."""
    failed = [why for force_one in ways if (why := force_one())]
    if failed:
        raise TransportRefused(failed[0])
