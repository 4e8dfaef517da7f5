"""Which deliveries are of no use any more: their events have expired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oyez.schemas.decoding import Envelope, expiry_of
from oyez.schemas.headers import EXPIRY

from ..database.inbox import EventId
from .delivery import Work


def has_expired(envelope: Envelope, now: float) -> bool:
    """Whether an event expires at ``now`` (seconds since the epoch) or before."""
    moment = expiry_of(envelope)
    return moment is not None and moment.timestamp() <= now


def expired_among(works: Iterable[Work], now: float) -> frozenset[tuple[str, EventId]]:
    """The deliveries of those of these events that have expired, by handler and event."""
    return frozenset(
        (delivery.handler.name, taken.event_id)
        for taken, deliveries in works
        if has_expired(taken.envelope, now)
        for delivery in deliveries
    )


def places_of_expired(envelopes: Sequence[Envelope], now: float) -> frozenset[int]:
    """The places of those of these events that have expired."""
    return frozenset(at for at, one in enumerate(envelopes) if EXPIRY in one and has_expired(one, now))
