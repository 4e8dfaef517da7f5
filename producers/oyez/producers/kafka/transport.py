"""The transport "kafka": confluent-kafka's idempotent producer, made in the process that uses it."""

import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from ..errors import TransportRefused
from ..forks import call_in_child
from .config import HEADERS, producer_config, too_large
from .link import Link, Report

_SERVE_EVERY = 100


class KafkaTransport:
    """Hands events to librdkafka, which delivers them in the background.

    The first event of a process waits for the broker, `announce_timeout` seconds at most. Later ones wait
    only while librdkafka's queue is full. While the broker is away everything is refused at once, until it is
    back.
    """

    def __init__(
        self,
        servers: str,
        options: Mapping[str, Any] | None = None,
        *,
        announce_timeout: float = 5.0,
        delivery_timeout: float = 30.0,
    ) -> None:
        """`options` are librdkafka's, and win over ours. Times in seconds."""
        self._config = producer_config(servers, options or {}, delivery_timeout)
        self._servers = self._config["bootstrap.servers"]
        self._announce_timeout = announce_timeout
        self._report: Report = _ignore
        self._closed = False
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._produce: Callable[..., None] = _ignore
        self._unserved = 0
        call_in_child(self._leave_to_parent)

    def report_to(self, report: Report) -> None:
        """Tell `report` the value of each event that did not arrive, and why."""
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue one event. TransportRefused: the broker is away, the queue stays full, or it is too large."""
        link = self._link or self._connect(topic)
        if link.away is not None:
            raise self._away(link)
        try:
            self._produce(topic, value, key, headers=HEADERS)
        except BufferError:
            self._send_when_full(link, topic, key, value)
        except KafkaException as error:
            raise self._refused(error.args[0], len(value)) from None
        link.sent += 1
        if self._closed:
            link.close(
                self._announce_timeout
            )  # another thread closed the transport meanwhile: this event goes all the same
        self._unserved -= 1
        if self._unserved < 0:
            self._unserved = _SERVE_EVERY
            link.producer.poll(0)

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged or failed; what is not after `timeout` seconds is given up as failed
        (what was on its way to the broker just then may have arrived after all)."""
        if self._link is not None:
            self._link.flush(timeout)

    def close(self, timeout: float) -> None:
        """flush(), and let go of the client."""
        with self._lock:
            self._closed = True
            link, self._link, self._produce = self._link, None, _closed
        if link is not None:
            link.close(timeout)

    def _away(self, link: Link) -> TransportRefused:
        return TransportRefused(f"the broker at {self._servers} is away: {link.away}")

    def _connect(self, topic: str) -> Link:
        with self._lock:
            if self._closed:
                raise TransportRefused("the transport is closed")
            if self._link is None:
                link = Link(self._config, self._announce_timeout, self._report)
                link.connect(topic)
                self._produce = link.producer.produce
                self._link = link
            return self._link

    def _send_when_full(self, link: Link, topic: str, key: bytes | None, value: bytes) -> None:
        end = time.monotonic() + self._announce_timeout
        while (left := end - time.monotonic()) > 0:
            link.producer.poll(min(left, 0.1))
            try:
                self._produce(topic, value, key, headers=HEADERS)
            except BufferError:
                continue
            return
        raise TransportRefused(
            f"the queue is full and the broker at {self._servers} took nothing for {self._announce_timeout:g} s"
        )

    def _refused(self, error: KafkaError, size: int) -> TransportRefused:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return TransportRefused(too_large(size, self._config.get("message.max.bytes", 1_000_000)))
        return TransportRefused(str(error.str()))

    def _leave_to_parent(self) -> None:
        """In a forked child: drop the parent's client undestroyed.

        librdkafka's threads are not here: destroying it would wait for them, and end the parent's connections.
        """
        if self._link is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._link.producer))
        self._link, self._produce, self._lock = None, _ignore, threading.Lock()


def _ignore(*_: object, **__: object) -> None:
    """Stands in until there is something to call."""


def _closed(*_: object, **__: object) -> None:
    raise TransportRefused("the transport is closed")
