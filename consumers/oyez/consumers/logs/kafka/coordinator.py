"""Questions that a group's coordinator answers: who is in it, and what it has committed.

librdkafka (2.16.0) has ended whole processes, by an assertion of its own, after it had given up such a question itself.
So it gives none up: whoever asks stops waiting, and the question ends with its client.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

LONGEST = 3600.0  # s; the client lets no longer limit be set for a question

T = TypeVar("T")


class RenewedClient:
    """An administrative client, and another one after a question that nobody waits for any more."""

    def __init__(self, make: Callable[[], AdminClient]) -> None:
        self._make = make
        self._client: AdminClient | None = None

    @property
    def client(self) -> AdminClient:
        """The client of the moment. Not to be kept: a question of `LONGEST` ends when nobody has its client."""
        if self._client is None:
            self._client = self._make()
        return self._client

    def give_up(self) -> None:
        """Nobody waits any more for what was asked."""
        self._client = None

    def answer(self, question: Future[T], wait: float) -> T:
        """The answer, if it comes within ``wait`` seconds. Raises KafkaException."""
        try:
            return question.result(wait)
        except TimeoutError:
            self.give_up()
            said = f"the group's coordinator has not answered for {wait:g} s"
            timed_out = KafkaError._TIMED_OUT  # noqa: SLF001 # the client's name for it
            raise KafkaException(KafkaError(timed_out, said)) from None
