"""Leaving a consumer group, also when the broker says nothing."""

from __future__ import annotations

import logging
import threading

from confluent_kafka import Consumer

ANSWER = 4.0  # s that the broker may take; a worker that is told to stop has 30 s in all


def close(consumer: Consumer, logger: logging.Logger, seconds: float = ANSWER) -> bool:
    """Leave the group; whether it was left. The client waits for what is under way, such as the commit of an offset,
    for as long as the broker is silent: after ``seconds`` it is left to itself, and ends with the process."""
    closing = threading.Thread(target=consumer.close, name="oyez-leaving", daemon=True)
    closing.start()
    closing.join(seconds)
    if closing.is_alive():
        logger.warning(
            "Kafka has not answered for %.0f s: the group is left without a word; the broker notices when the "
            "session times out",
            seconds,
        )
    return not closing.is_alive()
