"""Errors after which a client does nothing any more, ever: its worker has to end, and to be started anew.

They come as a message of `poll` whose error has the code `_FATAL`. Its `fatal()` is False, `error_cb` hears nothing,
and after it `poll` gives nothing for ever (confluent-kafka 2.16.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

from ..log import LogError
from .client_config import INSTANCE

HINTS: Mapping[str, str] = {
    "static consumer fenced": "another client of the group has its group.instance.id ({instance}): give each `oyez "
    "listen` one of its own in OYEZ_KAFKA_OPTIONS",
    "instance id": "the broker keeps the id {instance} for the worker that had it, until that one's session ends "
    "(group.consumer.session.timeout.ms); it is tried again until then",
    "group id does not exist": "the group has members of another group.protocol: stop all of its workers to change it",
    "assignor": "the broker does not have the assignor that OYEZ_KAFKA_OPTIONS names (group.remote.assignor)",
}
"""By words of the client's text: it gives no other code than `_FATAL`."""


def is_fatal(error: KafkaError) -> bool:
    """Whether the client is at its end."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 # the client's name for it


def ended_by(error: KafkaError, config: Mapping[str, Any]) -> LogError:
    """What to raise, with the reason and what to do."""
    text = error.str().rsplit("Broker: ", 1)[-1]
    for words, hint in HINTS.items():
        if words in text.lower():
            return LogError(f"Kafka: {text}; {hint.format(instance=config.get(INSTANCE))}")
    return LogError(f"Kafka: {text}")
