"""One librdkafka producer that can be emptied: what it has not delivered is had back."""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, Message

from ..link import Silence, make_producer, weakly, why_undelivered
from ..served import Served


class Failed(NamedTuple):
    """An event that was not delivered, and why."""

    topic: str
    value: bytes
    reason: str


class Outlet(Served):
    """A producer in the process that made it, with what it has to tell."""

    def __init__(
        self,
        config: Mapping[str, Any],
        timeout: float,
        *,
        make: Callable[[Mapping[str, Any]], Any] = make_producer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``timeout``: seconds without any acknowledgement after which something is wrong."""
        self.sent = 0
        self.failures: deque[Failed] = deque()
        """What was not delivered, in the order of the callbacks, which is no order of the events."""
        self.is_outsized = False
        """Whether the broker refused something for its size, or for that of its batch."""
        self._failed = 0
        self._last_error = ""
        self._silence = Silence(timeout, clock)
        told = {"error_cb": weakly(self._on_error), "on_delivery": weakly(self._on_failure)}
        super().__init__(make({**config, **told}))
        self.produce: Callable[..., None] = self.producer.produce

    def wrong(self) -> str | None:
        """Serve what librdkafka has to tell; why producing must stop, None if it need not."""
        self.serve(0)
        if self.failures:
            return self._with_error(self.failures[0].reason)
        silent = self._silence.too_long(self.sent - self._failed, len(self.producer))
        return self._with_error(silent) if silent else None

    def empty(self) -> list[Failed]:
        """Purge it; all that it had taken and not delivered. Everything that is not in the answer has arrived."""
        self.recall()
        return [self.failures.popleft() for _ in range(len(self.failures))]

    def dies(self, reason: str) -> None:
        """It delivers nothing any more, for this reason."""
        super().dies(reason)
        self._last_error = reason

    def resume(self) -> None:
        """It is used again."""
        self._last_error = ""
        self._silence.end()

    def leave_to_parent(self) -> None:
        """In a forked child: never destroy it. librdkafka's threads are not here; it would wait for them."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.producer))

    def _with_error(self, reason: str) -> str:
        return f"{reason}; {self._last_error}" if self._last_error else reason

    def _on_error(self, error: KafkaError) -> None:
        self.judge(error)
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 # that is its public name
            self._last_error = str(error.str())

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed += 1
            self.judge(error)
            self.is_outsized |= error.code() == KafkaError.MSG_SIZE_TOO_LARGE
            value = message.value() or b""
            self.failures.append(Failed(message.topic() or "", value, why_undelivered(error, len(value))))
