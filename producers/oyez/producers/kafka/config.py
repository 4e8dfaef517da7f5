"""How our producers are configured, and what goes with every event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oyez.schemas.encoding import CONTENT_TYPE

from ..transport import Lasting

HEADERS: Any = [("content-type", CONTENT_TYPE)]

ANYWHERE, NOW = -1, 0
"""No partition and no time of our own, as confluent-kafka's produce() has them by default. It is given all by position,
since a keyword makes a call take half as long again: topic, value, key, partition, callback, on_delivery, timestamp,
headers. The two in the middle are one thing by two names; a `callback` of None puts out `on_delivery`."""


def producer_config(servers: str, options: Mapping[str, Any], delivery_timeout: float) -> dict[str, Any]:
    """librdkafka's configuration; ``options`` win over ours. ``delivery_timeout`` in seconds."""
    return {
        "bootstrap.servers": servers,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "message.timeout.ms": int(delivery_timeout * 1000),
        "reconnect.backoff.max.ms": 1000,
        "delivery.report.only.error": True,
        **options,
    }


def too_large(size: int, limit: object) -> Lasting:
    """Why an event of so many bytes is not taken."""
    return Lasting(
        f"it has {size} bytes, {limit} are allowed: make it smaller, or raise message.max.bytes in "
        "OYEZ_KAFKA_OPTIONS and max.message.bytes of the topic"
    )
