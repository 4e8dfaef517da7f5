"""Failures that a test asks for: a handler raises what it is told to, in the place of being called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from oyez.schemas import Event, OyezError

from ..handlers.application import Application, Group
from ..handlers.callers import caller
from ..handlers.registry import Handler
from ..handlers.signature import Form
from ..instrumentation.events import BatchHandled, InstrumentationEvent, RowsRun

Which = tuple[str, str, str]
"""A delivery: its handler, and its event's source and id."""


class HandlerUnknown(OyezError):
    """The application has no such handler; the message names those that it has."""


@dataclass(frozen=True)
class Failure:
    """``error`` is raised in each of the first ``times`` attempts (None: all) at an event that it ``concerns``."""

    error: BaseException
    times: int | None
    concerns: Callable[[Any], object]


class Failures:
    """What is to fail, and what has failed how often. An attempt counts once it is committed: until then, a handler may
    be called for an event again, and fails for it again."""

    def __init__(self, row_of: Callable[[Which], int | None]) -> None:
        """``row_of`` gives the row of a delivery in the retry table; None for one that is not parked."""
        self._row_of = row_of
        self._asked: dict[str, list[Failure]] = {}
        self._counts: Counter[Which] = Counter()
        self._raised: dict[Which, int | None] = {}
        self._groups: dict[str, str] = {}

    def add(self, handler: str, failure: Failure) -> None:
        """Let a handler fail, from its next attempts on."""
        self._asked.setdefault(handler, []).append(failure)
        self._counts = Counter({one: n for one, n in self._counts.items() if one[0] != handler})

    def forget(self, handler: str) -> None:
        """Let it fail no more."""
        self._asked.pop(handler, None)

    def check(self, handler: str, events: Sequence[Event[Any]]) -> None:
        """Raise what was asked for, if this handler is to fail for one of these."""
        for event in events if handler in self._asked else ():
            self._check(handler, event)

    def _check(self, handler: str, event: Event[Any]) -> None:
        which = (handler, event.source, event.id)
        for failure in self._asked[handler]:
            is_left = failure.times is None or self._counts[which] < failure.times
            if is_left and failure.concerns(event.data):
                self._raised[which] = self._row_of(which)
                raise failure.error.with_traceback(None)

    def receive(self, event: InstrumentationEvent) -> None:
        """Count what was committed: see `Subscriber`."""
        if isinstance(event, BatchHandled | RowsRun):
            rows = event.report.claimed
            done = [one for one, row in list(self._raised.items()) if row in (rows or (None,))]
            mine = [one for one in done if self._groups[one[0]] == event.group]
            self._counts.update(mine)
            for one in mine:
                del self._raised[one]

    def within(self, group: Group) -> Group:
        """The same group, whose handlers fail as they are told to."""
        self._groups.update(dict.fromkeys(group.by_name, group.name))
        return replace(group, handlers=tuple(map(self._failing, group.handlers)))

    def _failing(self, handler: Handler) -> Handler:
        """It is given whole events, by which the delivery is known, and gives its function what that takes."""
        form = handler.signature.form
        whole = replace(handler.signature, form=Form.EVENTS if form.is_batch else Form.EVENT)
        called = _checked(handler, form, partial(self.check, handler.name))
        return replace(handler, signature=whole, call=caller(called, whole, handler.name, handler.timeout))


def _checked(
    handler: Handler, form: Form, check: Callable[[Sequence[Event[Any]]], None]
) -> Callable[..., object]:
    """The handler's function, to be called with what ``form`` says is a whole event or several."""

    def call(given: Any, **injected: Any) -> object:
        check(given if form.is_batch else [given])
        return handler.function(_taken(given, form), **injected)

    async def call_async(given: Any, **injected: Any) -> None:
        check([given])
        result: Any = handler.function(_taken(given, form), **injected)
        await result

    return call_async if handler.signature.is_async else call


def _taken(given: Any, form: Form) -> Any:
    match form:
        case Form.MODEL:
            return given.data
        case Form.MODELS:
            return [event.data for event in given]
    return given


def handler_named(application: Application, wanted: str | Callable[..., object]) -> str:
    """The name of a handler, by its name or its function. Raises `HandlerUnknown`."""
    known: Mapping[str, object] = {one.name: one.function for one in application.handlers}
    for name, function in known.items():
        if wanted == name or wanted is function:
            return name
    said = wanted if isinstance(wanted, str) else getattr(wanted, "__qualname__", repr(wanted))
    raise HandlerUnknown(f"{application.name} has no handler {said}; it has {', '.join(known)}")
