"""What the Kafka client says of itself, and what of it is worth a line."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError

# Said for every attempt to connect, twenty times a second.
NOISE = {"FAIL", "ERROR", "REQTMOUT"}


class Chatter:
    """Stands where the client expects its logger. That the broker is away, and is back, is one line each."""

    def __init__(self, logger: logging.Logger, servers: str) -> None:
        self._logger = logger
        self._servers = servers
        self._is_away = False
        self.fatal: KafkaError | None = None
        """An error after which the client does nothing any more."""

    def log(self, level: int, template: str, facility: str, *rest: object) -> None:
        """One of the client's own lines."""
        self._logger.log(logging.DEBUG if facility in NOISE else level, template, facility, *rest)

    def on_error(self, error: KafkaError) -> None:
        """An error that the client will get over, or a fatal one."""
        if error.fatal():
            self.fatal = error
        elif error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_away:  # noqa: SLF001 # its name
            self._is_away = True
            self._logger.warning("Kafka at %s is away; reconnecting", self._servers)

    def heard(self) -> None:
        """The broker has answered."""
        if self._is_away:
            self._is_away = False
            self._logger.warning("Kafka at %s is back", self._servers)
