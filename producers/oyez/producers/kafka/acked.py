"""The transport "kafka", acknowledged: `announce()` returns when the broker has the event."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from ..errors import TransportRefused
from .config import HEADERS
from .link import Link, reason_of, why_undelivered
from .transport import KafkaTransport

_TURN = 0.02


class Answer:
    """What the broker says to one event."""

    def __init__(self) -> None:
        self.error: KafkaError | None = None
        self.is_there = threading.Event()

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        self.error = error
        self.is_there.set()


class AckedTransport(KafkaTransport):
    """Takes an event when the broker has acknowledged it, and says otherwise why not, in `announce_timeout` seconds.

    An event that was refused for want of an answer may have arrived all the same.
    """

    def __init__(
        self, servers: str, options: Mapping[str, Any] | None = None, *, announce_timeout: float = 5.0
    ) -> None:
        """`options` are librdkafka's, and win over ours. Times in seconds."""
        ours = {"delivery.report.only.error": False, "linger.ms": 0}
        super().__init__(
            servers,
            {**ours, **(options or {})},
            announce_timeout=announce_timeout,
            delivery_timeout=announce_timeout,
        )

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Deliver one event. TransportRefused: it was not acknowledged."""
        link = self._links.get(topic) or self._connect(topic)
        if link.away is not None:
            raise self._away(link)
        answer = Answer()
        try:
            link.produce(topic, value, key, headers=HEADERS, on_delivery=answer)
        except BufferError:
            raise TransportRefused("the queue is full") from None
        except KafkaException as error:
            raise self._refused(error.args[0], len(value)) from None
        link.sent += 1
        self._wait(link, answer)
        if answer.error is None:
            return
        link.failed += 1
        if answer.error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._note_outsized(topic)
        if answer.error.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 # its public name
            link.leave(reason_of(answer.error))
        raise TransportRefused(
            f"the broker did not acknowledge it: {why_undelivered(answer.error, len(value))}"
        )

    def _wait(self, link: Link, answer: Answer) -> None:
        """One thread at a time serves the client, for all; librdkafka always answers in the end."""
        while not answer.is_there.is_set():
            if not link.serving.acquire(blocking=False):
                answer.is_there.wait(_TURN)
                continue
            try:
                link.producer.poll(_TURN)
            finally:
                link.serving.release()
