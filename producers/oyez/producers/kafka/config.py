"""How our producers are configured, and what goes with every event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oyez.schemas.encoding import CONTENT_TYPE

from ..transport import Lasting

HEADERS: Any = [("content-type", CONTENT_TYPE)]


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
