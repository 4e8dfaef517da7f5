"""How many bytes a topic takes at once, asked of the broker.

The client fills its batches without knowing: a topic with a small `max.message.bytes` refuses each whole batch that is
larger, with events in it that are small enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from ..loggers import logger_named
from .link import librdkafka_log

log = logger_named("oyez.kafka")

NAME = "max.message.bytes"
BATCH = "batch.size"
MADE = 1.0  # s that a broker may take to make a topic that was asked for
NOT_THERE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE)
USUAL = 1_000_000
"""Bytes of a batch unless set, and of an event (`message.max.bytes`): the client's defaults."""


class Limits:
    """Asks with a client of its own, each time."""

    def __init__(self, servers: str, options: Mapping[str, Any]) -> None:
        self._config: dict[str, Any] = {**options, "bootstrap.servers": servers, "logger": librdkafka_log}

    def of(self, topic: str, timeout: float) -> int | None:
        """Bytes that the topic takes at once, before it has an event or after; None if that is not said: the topic is
        not there yet, this client may not ask, or there was no answer in ``timeout`` seconds."""
        until = time.monotonic() + min(timeout, MADE)
        try:
            admin = AdminClient(self._config)
        except KafkaException:  # what is wrong with the options, the producer says
            return None
        while True:
            said = self._asked(admin, topic, timeout)
            if not isinstance(said, KafkaError):
                return said
            if said.code() not in NOT_THERE or time.monotonic() > until:
                log.debug("%s: its %s is not known: %s", topic, NAME, said)
                return None
            time.sleep(0.05)

    def begin(self, topic: str, timeout: float) -> Callable[[], int | None]:
        """Ask in the background; what is returned waits for the answer, and gives it."""
        found: list[int | None] = []
        asking = threading.Thread(
            target=lambda: found.append(self.of(topic, timeout)), name="oyez-kafka-limits", daemon=True
        )
        try:
            asking.start()
        except RuntimeError:  # there are no more threads
            return lambda: None

        def answer() -> int | None:
            asking.join()
            return found[0] if found else None

        return answer

    def _asked(self, admin: AdminClient, topic: str, timeout: float) -> int | KafkaError | None:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        try:
            answer = admin.describe_configs([resource], request_timeout=timeout)[resource]
        except KafkaException as error:
            said: KafkaError = error.args[0]
            return said
        # Raised, it would hold this frame, and so the client: an answer's error is in a cycle.
        if (refused := answer.exception()) is not None:
            return refused.args[0] if isinstance(refused, KafkaException) else None
        found = answer.result().get(NAME)
        return None if found is None else int(found.value)


def batch_size(config: Mapping[str, Any], limit: int | None) -> int:
    """Bytes of a batch for a topic that takes ``limit``."""
    usual = int(config.get(BATCH, USUAL))
    return usual if limit is None else max(1, min(usual, limit))
