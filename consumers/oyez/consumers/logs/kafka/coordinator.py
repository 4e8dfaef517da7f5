"""Questions that a group's coordinator answers: who is in it, and what it has committed.

librdkafka (2.16.0) has ended whole processes, by an assertion of its own, after it had given up such a question itself.
So it gives none up: whoever asks stops waiting, and the question ends with its client.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

GIVEN_UP = 3600.0  # s; the client lets nothing longer be set
KEPT = 1800.0  # s; how long a client may be kept that has not been answered

T = TypeVar("T")


def answered(question: Future[T], wait: float) -> T:
    """The answer, if it comes within ``wait`` seconds. Raises KafkaException."""
    try:
        return question.result(wait)
    except TimeoutError:
        said = f"the group's coordinator has not answered for {wait:g} s"
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, said)) from None  # noqa: SLF001 # the client's name for it
