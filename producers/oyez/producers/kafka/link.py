"""One librdkafka producer, in the process that made it: is its broker there, and what has failed."""

import gc
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ..errors import SettingsError, TransportRefused
from ..loggers import logger_named
from ..transport import Lasting
from .served import Served

log = logger_named("oyez.kafka")

# What librdkafka has to say is for those who configure logging; ours is for everybody.
librdkafka_log = logger_named("oyez.kafka.librdkafka")
librdkafka_log.addHandler(logging.NullHandler())

# A forked child leaves alone what its parent left in cycles: a client that was collected there would wait for its
# threads, which only the parent has, or crash. An error that somebody keeps is enough to hold one in a cycle.
os.register_at_fork(after_in_child=gc.freeze)

_LOOK_EVERY = 1.0
_PROBE = 1.0
_LAST_WORDS = 1.0

_LASTING = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
)

_PURGED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # noqa: SLF001 # public names

Report = Callable[[bytes, str], None]


class Silence:
    """For how long the broker has not acknowledged anything, though something waits for it."""

    def __init__(self, timeout: float, clock: Callable[[], float]) -> None:
        """`timeout` in seconds; `clock` gives seconds."""
        self._timeout = timeout
        self._clock = clock
        self._arrived = 0
        self.end()

    def end(self) -> None:
        """Something was heard."""
        self._since = self._clock()

    def too_long(self, sent: int, waiting: int) -> str | None:
        """What is wrong, if it has lasted too long. `sent`: events so far, without those that have failed; `waiting`:
        those of them that are not acknowledged."""
        arrived = sent - waiting
        if waiting == 0 or arrived > self._arrived:
            self._arrived = max(arrived, self._arrived)
            self.end()
        silent = self._clock() - self._since
        return f"no acknowledgement for {silent:.0f} s" if silent >= self._timeout else None


class Link(Served):
    """The producer with what is known about its broker.

    A thread looks at it once a second, so that a failure is told, and a broker's absence and return are
    noticed, also while nothing is announced.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        timeout: float,
        report: Report,
        too_large: Callable[[str], None] = lambda topic: None,
    ) -> None:
        """`timeout`: seconds without any acknowledgement after which the broker counts as away. `too_large` is told the
        topic of an event that the broker refused for its size, or for that of its batch."""
        self._timeout = timeout
        self._report = report
        self._too_large = too_large
        self.serving = threading.Lock()
        """Held by the thread that serves the client for all that wait for their own events."""
        self._last_error = ""
        self._silence = Silence(timeout, time.monotonic)
        self._probed = ""
        self._stop = threading.Event()
        self._telling: set[int] = set()
        self.sent = 0
        self.failed = 0
        self.away: str | None = None
        """Why nothing is taken at present, or by a dead client ever again; None while all is well."""
        # Weakly: in a cycle it would be destroyed by a garbage collection, which in a forked child is a crash.
        told = {"error_cb": weakly(self._on_error), "on_delivery": weakly(self._on_failure)}
        super().__init__(make_producer({**config, **told}))
        self.produce: Callable[..., None] = self.producer.produce

    def connect(self, topic: str) -> None:
        """Wait for the broker, `timeout` at most; `away` says so if it does not come.

        It is asked twice: first the address that was given answers, and the client leaves that for the broker's own.
        Who produces before that one is connected waits half a second for the producer's id.
        """
        end = time.monotonic() + self._timeout
        self._probed = topic
        self._probe(self._timeout)
        if self.away is None:
            self._probe(max(_PROBE, end - time.monotonic()))
        watch(self, self._stop)

    def look(self) -> None:
        """Serve what librdkafka has to tell, and judge whether the broker is there."""
        self.serve(0)
        if self.is_dead:
            return
        if self.away is not None:
            self._probe(_PROBE)
            return
        if reason := self._silence.too_long(self.sent - self.failed, len(self.producer)):
            self.leave(reason)

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged or failed; what is not by then is given up."""
        if self.wait(timeout):
            self.recall()

    def close(self, timeout: float) -> None:
        """flush(), and end the watching."""
        self._stop.set()
        self.flush(timeout)

    def dies(self, reason: str) -> None:
        """Nothing goes by this client any more."""
        if not self.is_dead:
            log.error("a Kafka client has died: %s; another one takes its place", reason)
        super().dies(reason)
        self.away = f"its client has died: {reason}"

    def is_told(self) -> bool:
        """Whether all that a dead client had not delivered has been told by now, so that another may take its place.
        Whoever is told of one of these events, and announces, is not to wait for itself."""
        if threading.get_ident() in self._telling:
            return False
        self._stop.set()
        self.purge()
        return not self.wait(_LAST_WORDS)

    def _probe(self, timeout: float) -> None:
        try:
            self.producer.list_topics(self._probed, timeout=timeout)
        except KafkaException as error:
            self.serve(0)
            self.leave(str(error.args[0].str()))
            return
        if self.is_dead:
            return
        if self.away is not None:
            log.info("the broker is back")
        self.away = None
        self._last_error = ""
        self._silence.end()

    def leave(self, reason: str) -> None:
        """The broker is away."""
        if self.is_dead:
            return
        said = f"{reason}; {self._last_error}" if self._last_error else reason
        if self.away is None:
            log.warning("the broker is away: %s", said)
        self.away = said

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 # that is its public name
            self._last_error = str(error.str())

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        self.failed += 1
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._too_large(message.topic() or "")
        value = message.value() or b""
        lost = self.away if self.is_dead and error.code() in _PURGED else None
        self._telling.add(me := threading.get_ident())
        try:
            self._report(value, lost or why_undelivered(error, len(value)))
        finally:
            self._telling.discard(me)


def weakly(method: Callable[..., None]) -> Callable[..., None]:
    """A callback that calls a bound method as long as its object lives, and does not keep it alive."""
    known = weakref.WeakMethod(method)

    def call(*given: object) -> None:
        if (alive := known()) is not None:
            alive(*given)

    return call


def reason_of(error: KafkaError) -> str:
    """Why an event was not delivered: `Lasting` if it is the event that the broker does not want."""
    if error.code() in _PURGED:
        return "not acknowledged within the time given"
    return Lasting(error.str()) if error.code() in _LASTING else str(error.str())


def why_undelivered(error: KafkaError, size: int) -> str:
    """The same, for an event of so many bytes, with what to do if they are too many."""
    reason = reason_of(error)
    if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
        return reason
    return Lasting(f"{reason}: it has {size} bytes; make it smaller, or raise max.message.bytes of the topic")


def make_producer(config: Mapping[str, Any]) -> Producer:
    try:
        return Producer(dict(config), logger=librdkafka_log)
    except KafkaException as error:
        why = error.args[0]
        if why.code() == KafkaError._CRIT_SYS_RESOURCE:  # noqa: SLF001 # a public name
            raise TransportRefused(f"the system has no room for a Kafka client: {why.str()}") from None
        raise SettingsError(f"kafka_options (OYEZ_KAFKA_OPTIONS): {why.str()}") from None


class Watched(Protocol):
    """Something to look at once a second."""

    def look(self) -> None: ...


def watch(watched: Watched, stop: threading.Event, every: float = _LOOK_EVERY) -> None:
    """Look at it every so many seconds in a thread, until told to stop or it is gone. TransportRefused: the system has
    no more threads."""
    what = (weakref.ref(watched), stop, every)
    try:
        threading.Thread(target=_watch, args=what, name="oyez-kafka-watch", daemon=True).start()
    except RuntimeError as error:
        raise TransportRefused(f"nobody can look whether the broker is there: {error}") from None


def _watch(link: "weakref.ref[Watched]", stop: threading.Event, every: float) -> None:
    while not stop.wait(every):
        watched = link()
        if watched is None:
            return
        watched.look()
        del watched
