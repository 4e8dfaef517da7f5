"""Where events are emitted, and who receives them."""

from __future__ import annotations

from typing import Protocol

from oyez.producers.loggers import logger_named

from ..core.stop_signals import raise_if_stop
from .events import InstrumentationEvent
from .log_subscriber import LogSubscriber

log = logger_named("oyez.instruments")


class Subscriber(Protocol):
    """Receives events, in the thread of whoever emits them: it must not take long."""

    def receive(self, event: InstrumentationEvent) -> None: ...


class Instrument:
    """Passes events on to its subscribers, in turn. What a subscriber raises is logged, once for each kind of
    error, and breaks nobody."""

    def __init__(self, *subscribers: Subscriber) -> None:
        self._subscribers = subscribers
        self._said: set[tuple[int, type]] = set()

    def emit(self, event: InstrumentationEvent) -> None:
        """Tell every subscriber. Raises nothing but a stop from outside."""
        for at, subscriber in enumerate(self._subscribers):
            try:
                subscriber.receive(event)
            except BaseException as error:  # noqa: BLE001 # it is told to those who must not fail for it
                raise_if_stop(error)
                self._complain(at, subscriber, error)

    def with_subscriber(self, subscriber: Subscriber) -> Instrument:
        """One that tells this subscriber too."""
        return Instrument(*self._subscribers, subscriber)

    def _complain(self, at: int, subscriber: Subscriber, error: BaseException) -> None:
        if (at, type(error)) not in self._said:
            self._said.add((at, type(error)))
            name = type(subscriber).__name__
            log.warning("%s failed and goes on: %s: %s", name, type(error).__name__, error)


def logging_instrument() -> Instrument:
    """One that only logs."""
    return Instrument(LogSubscriber())
