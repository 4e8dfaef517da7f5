"""A librdkafka producer that is served so that no delivery report is lost, whatever it dies of."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, KafkaException

_PIECE = 0.1
"""Seconds that one call of flush() lasts. From 0.2 on confluent-kafka cuts it into pieces by itself, and goes on with
the next one also when the client has just told of an error that it dies of. Then that is raised in the midst of the
next event's report, which is lost (decision 334)."""


class Served:
    """A client, and whether it lives. What it dies of it raises once, in whatever serves it, where nobody can do
    anything about it; and with every call that needs it."""

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self.is_dead = False
        """Whether it will deliver nothing any more."""

    def serve(self, timeout: float) -> None:
        """Call back what is to be called back, for up to so many seconds if there is nothing."""
        try:
            self.producer.poll(timeout)
        except (KafkaException, SystemError) as error:
            self.dies(_said(error))

    def wait(self, timeout: float) -> int:
        """Wait until all is acknowledged or has failed; how many are not. What others produce meanwhile may be waited
        for too, or not."""
        left = max(0.0, timeout)
        while True:
            piece = min(left, _PIECE)
            try:
                if not self.producer.flush(piece):
                    return 0  # at once perhaps; its length is that of the moment, in which others may have produced
                left -= piece
            except (KafkaException, SystemError) as error:
                self.dies(_said(error))  # at once: that piece is not over
            if left <= 0 or not len(self.producer):
                return len(self.producer)

    def recall(self) -> None:
        """Give up whatever was not acknowledged; every callback has been called when this returns."""
        self.purge()
        while self.wait(1.0):
            self.purge()

    def purge(self) -> None:
        """Give up whatever was not acknowledged. What comes of it is told when it is served."""
        self.producer.purge(in_queue=True, in_flight=True, blocking=True)

    def judge(self, error: KafkaError) -> None:
        """Notice whether it dies of an error."""
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 # its public name
            self.dies(str(error.str()))

    def dies(self, _reason: str) -> None:
        """It delivers nothing any more."""
        self.is_dead = True


def _said(error: KafkaException | SystemError) -> str:
    return str(error.args[0].str() if isinstance(error, KafkaException) else error)
