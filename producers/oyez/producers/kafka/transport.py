"""The transport "kafka": confluent-kafka's idempotent producer, made in the process that uses it."""

import ctypes
import threading
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from ..errors import TransportRefused
from ..forks import call_in_child
from .config import ANYWHERE, HEADERS, NOW, producer_config, too_large
from .limits import BATCH, Limits, batch_size
from .link import Link, Report, weakly

_SERVE_EVERY = 100


class KafkaTransport:
    """Hands events to librdkafka, which delivers them in the background.

    The first event of a topic waits for the broker, `announce_timeout` seconds at most, which says how much the topic
    takes at once: topics that take less than usual get a client with smaller batches. Later events wait only while
    librdkafka's queue is full. While the broker is away everything is refused at once, until it is back. When a client
    dies of a fatal error, what it had is told, an event is refused, and another client takes its place.
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
        self._limits = Limits(self._servers, options or {})
        self._by_batch: dict[int, Link] = {}
        self._links: dict[str, Link] = {}
        self._outsized: set[str] = set()
        call_in_child(self._leave_to_parent)

    def report_to(self, report: Report) -> None:
        """Tell `report` the value of each event that did not arrive, and why."""
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue one event. TransportRefused: the broker is away, the queue stays full, or it is too large."""
        link = self._links.get(topic) or self._connect(topic)
        if link.away is not None:
            raise self._away(link)
        try:
            link.produce(topic, value, key, ANYWHERE, None, None, NOW, HEADERS)
        except BufferError:
            self._send_when_full(link, topic, key, value)
        except KafkaException as error:
            raise self._refused(link, error.args[0], len(value)) from None
        sent = link.sent = link.sent + 1
        if self._links.get(topic) is not link:
            self._go_first(link)
        if sent % _SERVE_EVERY == 0:
            link.serve(0)

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged or failed; what is not after `timeout` seconds is given up as failed
        (what was on its way to the broker just then may have arrived after all)."""
        end = time.monotonic() + timeout
        for link in list(self._by_batch.values()):
            link.flush(max(0.0, end - time.monotonic()))
            if link.is_dead:
                self._replace(link)

    def close(self, timeout: float) -> None:
        """flush(), and let go of the client."""
        with self._lock:
            self._closed = True
            links, self._by_batch, self._links = self._by_batch, {}, {}
        end = time.monotonic() + timeout
        for link in links.values():
            link.close(max(0.0, end - time.monotonic()))

    def _away(self, link: Link) -> TransportRefused:
        if not link.is_dead:
            return TransportRefused(f"the broker at {self._servers} is away: {link.away}")
        self._replace(link)
        return TransportRefused(
            f"the broker at {self._servers}: {link.away}; the next event gets another one"
        )

    def _replace(self, link: Link) -> None:
        """Have another client in a dead one's place, once all is told that it had. An event is refused in between:
        nothing that is sent knowingly after those overtakes them."""
        if not link.is_told():  # without the lock: whoever is told of failures may announce
            return
        with self._lock:
            for size in [size for size, one in self._by_batch.items() if one is link]:
                self._by_batch.pop(size)
            for topic in [topic for topic, one in list(self._links.items()) if one is link]:
                self._links.pop(topic, None)  # an event that is refused may do that beside it

    def _connect(self, topic: str) -> Link:
        """The topic's link, for its first event, and after one was refused for its size."""
        with self._lock:
            link = self._chosen(topic)
        if link.away is not None:
            return link
        if topic in self._outsized:
            self._drain(topic, link)  # without the lock: whoever is told of failures may announce
        with self._lock:
            if self._closed:
                raise TransportRefused("the transport is closed")
            self._links[topic] = link
        return link

    def _chosen(self, topic: str) -> Link:
        """The link whose batches the topic takes; one that is away if the broker is."""
        if self._closed:
            raise TransportRefused("the transport is closed")
        if topic in self._links:
            return self._links[topic]
        known = next(iter(self._by_batch.values()), None)
        if known is not None and known.away is not None:
            return known
        limit = self._limits.begin(topic, self._announce_timeout)  # answered while the client connects
        first = known or self._link(topic, batch_size(self._config, None))
        if first.away is not None:
            return first
        size = self._batch_size(topic, limit())
        return self._by_batch.get(size) or self._link(topic, size)

    def _link(self, topic: str, size: int) -> Link:
        config = {**self._config, BATCH: size}
        told = weakly(self._note_outsized)  # see `Link`: no cycles
        link = self._by_batch[size] = Link(config, self._announce_timeout, self._report, told)
        try:
            link.connect(topic)
        except TransportRefused:
            del self._by_batch[size]  # nobody would look at it
            raise
        return link

    def _batch_size(self, topic: str, limit: int | None) -> int:
        """If the broker does not say what the topic takes, but has refused something for its size, each event goes
        alone."""
        return 1 if limit is None and topic in self._outsized else batch_size(self._config, limit)

    def _note_outsized(self, topic: str) -> None:
        """What the topic takes is asked anew before its next event: it may take less than it did."""
        self._outsized.add(topic)
        self._links.pop(topic, None)

    def _drain(self, topic: str, link: Link) -> None:
        """What went by another link than this goes first."""
        for other in list(self._by_batch.values()):
            if other is not link and other.wait(self._announce_timeout):
                raise (
                    self._away(other)
                    if other.is_dead
                    else TransportRefused(
                        f"{topic} takes less than before, and what was sent is not acknowledged yet"
                    )
                )

    def _go_first(self, link: Link) -> None:
        """Another thread has closed the transport, or taken another link, while an event was given to this one."""
        if self._closed or link.is_dead:
            link.close(self._announce_timeout)
        else:
            link.wait(self._announce_timeout)

    def _send_when_full(self, link: Link, topic: str, key: bytes | None, value: bytes) -> None:
        end = time.monotonic() + self._announce_timeout
        while (left := end - time.monotonic()) > 0:
            link.serve(min(left, 0.1))
            if link.is_dead:
                raise self._away(link)
            try:
                link.produce(topic, value, key, ANYWHERE, None, None, NOW, HEADERS)
            except BufferError:
                continue
            except KafkaException as error:
                raise self._refused(link, error.args[0], len(value)) from None
            return
        raise TransportRefused(
            f"the queue is full and the broker at {self._servers} took nothing for {self._announce_timeout:g} s"
        )

    def _refused(self, link: Link, error: KafkaError, size: int) -> TransportRefused:
        link.judge(error)
        if link.is_dead:
            return self._away(link)
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return TransportRefused(too_large(size, self._config.get("message.max.bytes", 1_000_000)))
        return TransportRefused(str(error.str()))

    def _leave_to_parent(self) -> None:
        """In a forked child: drop the parent's client undestroyed.

        librdkafka's threads are not here: destroying it would wait for them, and end the parent's connections.
        """
        for link in self._by_batch.values():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(link.producer))
        self._by_batch, self._links, self._lock = {}, {}, threading.Lock()


def _ignore(*_: object, **__: object) -> None:
    """Stands in until there is something to call."""
