"""What the Kafka client says of itself, and what of it is worth a line."""

from __future__ import annotations

import logging
import re

from confluent_kafka import KafkaError

from .fatal import is_fatal
from .topics import GONE

# Said for every attempt to connect, twenty times a second.
NOISE = {"FAIL", "ERROR", "REQTMOUT"}
CHANGED = re.compile(r"Topic (\S+) changed id from \S+ to (\S+)")
"""A debug line of METADATA. The client itself reads on in a topic that was made again as if nothing had happened."""
PASSING = {
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.STALE_MEMBER_EPOCH,
    KafkaError._NO_OFFSET,  # noqa: SLF001 # the client's name for it
}


class ClientLog:
    """Stands where the client expects its logger. That the broker is away, and is back, is one line each."""

    def __init__(self, logger: logging.Logger, servers: str, *, is_debugging: bool = False) -> None:
        self._logger = logger
        self._is_debugging = is_debugging
        self._servers = servers
        self._is_away = False
        self._refusal: str | None = None
        self._trouble = ""
        self.fatal: KafkaError | None = None
        """An error after which the client does nothing any more."""

        self.absent = ""
        """Which topic is not there, in the client's words; until something is heard."""

        self.topic_ids: dict[str, str] = {}
        """By name: the topics that the client has found to have another id than before."""

    def log(self, level: int, template: str, facility: str, *rest: object) -> None:
        """One of the client's own lines. Its debug lines are for us alone, unless somebody asked for some."""
        if level <= logging.DEBUG:
            for found in filter(None, (CHANGED.search(str(one)) for one in rest)):
                self.topic_ids[found[1]] = found[2]
            if not self._is_debugging:
                return
        self._logger.log(logging.DEBUG if facility in NOISE else level, template, facility, *rest)

    def on_error(self, error: KafkaError) -> None:
        """An error that the client will get over, or a fatal one."""
        if is_fatal(error):
            self.fatal = error
        elif error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_away:  # noqa: SLF001 # its name
            self._is_away = True
            self._logger.warning("Kafka at %s is away; reconnecting", self._servers)

    def trouble(self, error: KafkaError) -> None:
        """An error that `poll` gave, and that the client will get over. A group that does not let it in says so every
        second; that is a line until something is heard, or something else is wrong."""
        if error.code() in GONE:
            self.absent = error.str()
        if error.str() != self._trouble:
            self._trouble = error.str()
            self._logger.warning("Kafka: %s", self._trouble)

    def on_commit(self, error: KafkaError | None, _partitions: object) -> None:
        """The answer to offsets that were committed. While the group is dealt anew they are often refused: the next
        ones will not be."""
        reason = None if error is None or error.code() in PASSING else error.str()
        if reason is not None and reason != self._refusal:
            self._logger.warning("Kafka does not keep the group's offsets: %s", reason)
        self._refusal = reason

    def heard(self) -> None:
        """The broker has answered."""
        self._trouble = self.absent = ""
        if self._is_away:
            self._is_away = False
            self._logger.warning("Kafka at %s is back", self._servers)
