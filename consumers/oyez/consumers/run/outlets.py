"""Into what the outbox is relayed: the transport that is set, or what stands here instead of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oyez.producers import Settings, SettingsError, Transport
from oyez.producers.kafka.durability import shipping_transport
from oyez.producers.lookup import transport_from

INSTEAD: Mapping[str, Callable[[Settings], Transport]] = {"kafka": shipping_transport}
"""Of Kafka the plain transport: here the database is the buffer, and no other one is to stand behind it."""
REFUSED: Mapping[str, str] = {
    "memory": "ends with this process, and what is in the outbox would be gone; use kafka, spool or inline"
}
"""What leaves the outbox is deleted there."""


def require_outlet(settings: Settings) -> None:
    """Raises `SettingsError` for a transport into which the outbox must not be relayed."""
    if settings.transport in REFUSED:
        raise SettingsError(f"transport {settings.transport} (OYEZ_TRANSPORT) {REFUSED[settings.transport]}")


def outlet_from(settings: Settings) -> Transport:
    """What takes the outbox's events. Raises `SettingsError`, as `require_outlet` and `transport_from` do."""
    require_outlet(settings)
    return INSTEAD.get(settings.transport, transport_from)(settings)
