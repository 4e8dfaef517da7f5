"""Failures that a test asks for: a handler raises what it is told to, in the place of being called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from oyez.schemas import OyezError

from ..core.callables import layers
from ..execution.delivery import Delivery
from ..handlers.application import Application
from ..handlers.registry import Handler
from ..instrumentation.events import BatchHandled, InstrumentationEvent, RowsRun

Which = tuple[str, str, str]
"""A delivery: its handler, and its event's source and id."""


class HandlerUnknown(OyezError):
    """The application has no such handler; the message names those that it has."""


class Raised(NamedTuple):
    """A failure that is not committed yet: the handler's group, and the delivery's row, if it was parked."""

    group: str
    row: int | None


@dataclass(frozen=True)
class Failure:
    """``error`` is raised in each of the first ``times`` attempts (None: all) at an event that it ``concerns``."""

    error: Exception
    times: int | None
    concerns: Callable[[Any], object]


class Failures:
    """What is to fail, and what has failed how often. An attempt counts once it is committed: until then, a handler may
    be called for an event again, and fails for it again."""

    def __init__(self) -> None:
        self._asked: dict[str, list[Failure]] = {}
        self._counts: Counter[Which] = Counter()
        self._raised: dict[Which, Raised] = {}

    def add(self, handler: str, failure: Failure) -> None:
        """Let a handler fail, from its next attempts on."""
        self._asked.setdefault(handler, []).append(failure)
        self._counts = Counter({one: n for one, n in self._counts.items() if one[0] != handler})

    def forget(self, handler: str) -> None:
        """Let it fail no more."""
        self._asked.pop(handler, None)

    @contextmanager
    def watch(self, handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """Goes around a call: raises what was asked for, if the handler is to fail for one of these. See `Watch`."""
        for delivery in deliveries if handler.name in self._asked else ():
            self._check(handler, delivery)
        yield

    def _check(self, handler: Handler, delivery: Delivery) -> None:
        event = delivery.taken.event
        which = (handler.name, event.source, event.id)
        for failure in self._asked[handler.name]:
            is_left = failure.times is None or self._counts[which] < failure.times
            if is_left and failure.concerns(event.data):
                row = None if delivery.row is None else delivery.row.id
                self._raised[which] = Raised(handler.group, row)
                raise failure.error.with_traceback(None)

    def receive(self, event: InstrumentationEvent) -> None:
        """Count what was committed: see `Subscriber`."""
        if isinstance(event, BatchHandled | RowsRun):
            rows = event.report.claimed or (None,)
            raised = list(self._raised.items())
            done = [which for which, (group, row) in raised if group == event.group and row in rows]
            self._counts.update(done)
            for one in done:
                del self._raised[one]


def exception_of(error: object) -> Exception:
    """What is to be raised, of an exception or its class. Raises TypeError for anything else."""
    made: object = error() if isinstance(error, type) and issubclass(error, Exception) else error
    if isinstance(made, Exception):
        return made
    raise TypeError(
        f"fail(error={made!r}): only an Exception, or its class, fails an attempt; any other ends the worker"
    )


def handler_named(application: Application, wanted: str | Callable[..., object]) -> str:
    """The name of a handler, by its name or its function. Raises `HandlerUnknown`."""
    for one in application.handlers:
        if wanted == one.name or any(wanted is layer for layer in layers(one.function)):
            return one.name
    known = [one.name for one in application.handlers]
    said = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", repr(wanted))
    raise HandlerUnknown(f"{application.name} has no handler {said}; it has {', '.join(known)}")
