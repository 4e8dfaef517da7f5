"""The transport "kafka", acknowledged: `announce()` returns when the broker has the event."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from ..errors import TransportRefused
from ..transport import Encoded
from .config import ANYWHERE, HEADERS, NOW
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


Sent = tuple[Encoded, Link, Answer] | TransportRefused
"""What became of an event that was to be handed to the client."""


class QueueFull(TransportRefused):
    """The client takes no more before something was acknowledged."""


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
        event = topic, key, value
        link, answer = self._produce(event)
        refused = self._answered(link, answer, event)
        if refused is not None:
            raise refused

    def send_many(self, events: Sequence[Encoded]) -> Sequence[TransportRefused | None]:
        """Deliver events, and wait once for all; in pieces if they are more than the queue holds."""
        outcome: list[TransportRefused | None] = []
        under_way: list[Sent] = []
        for event in events:
            sent = self._produced(event)
            if isinstance(sent, QueueFull):
                outcome += map(self._outcome, under_way)
                under_way, sent = [], self._produced(event)
            under_way.append(sent)
        return [*outcome, *map(self._outcome, under_way)]

    def _produced(self, event: Encoded) -> Sent:
        try:
            return event, *self._produce(event)
        except TransportRefused as refused:
            return refused

    def _outcome(self, sent: Sent) -> TransportRefused | None:
        if isinstance(sent, TransportRefused):
            return sent
        event, link, answer = sent
        return self._answered(link, answer, event)

    def _produce(self, event: Encoded) -> tuple[Link, Answer]:
        """Hand one event to the client. TransportRefused: it does not take it."""
        topic, key, value = event
        link = self._links.get(topic) or self._connect(topic)
        if link.away is not None:
            raise self._away(link)
        answer = Answer()
        try:
            link.produce(topic, value, key, ANYWHERE, answer, None, NOW, HEADERS)
        except BufferError:
            raise QueueFull("the queue is full") from None
        except KafkaException as error:
            raise self._refused(link, error.args[0], len(value)) from None
        link.sent += 1
        return link, answer

    def _answered(self, link: Link, answer: Answer, event: Encoded) -> TransportRefused | None:
        """Wait for the broker's answer; why it does not have the event, if it has not."""
        self._wait(link, answer)
        if answer.error is None:
            return None
        link.failed += 1
        link.judge(answer.error)
        if answer.error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._note_outsized(event[0])
        if answer.error.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 # its public name
            link.leave(reason_of(answer.error))
        return TransportRefused(
            f"the broker did not acknowledge it: {why_undelivered(answer.error, len(event[2]))}"
        )

    def _wait(self, link: Link, answer: Answer) -> None:
        """One thread at a time serves the client, for all; librdkafka always answers in the end."""
        while not answer.is_there.is_set():
            if not link.serving.acquire(blocking=False):
                answer.is_there.wait(_TURN)
                continue
            try:
                link.serve(_TURN)
            finally:
                link.serving.release()
