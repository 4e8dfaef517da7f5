"""Handlers whose calls are watched. Nobody else pays for it: a handler that is not watched is called as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from typing import Any

from ..core.release import OnRelease
from ..database.session import HandlerSession
from ..execution.delivery import Delivery, payloads_for
from ..handlers.application import Group
from ..handlers.callers import Call
from ..handlers.registry import Handler

Watch = Callable[[Handler, Sequence[Delivery]], AbstractContextManager[object]]
"""What goes around a call of a handler for one event, or for a batch of them; what the handler raises passes it."""


def watched(group: Group, watch: Watch, on_release: OnRelease | None = None) -> Group:
    """The same group, whose handlers are watched, and its releases told. Whoever watches already goes on within."""
    handlers = tuple(_watched(one, watch) for one in group.handlers)
    return replace(group, handlers=handlers, on_release=on_release or group.on_release)


def _watched(handler: Handler, watch: Watch) -> Handler:
    function = _awaited(handler, watch) if handler.signature.is_async else handler.function
    return replace(handler, call=_call(handler, watch), function=function, is_watched=True)


def _call(handler: Handler, watch: Watch) -> Call:
    """Events are taken from what is given one by one, as the handler is called for them."""

    def each(given: Iterable[Delivery], db: HandlerSession | None) -> None:
        for delivery in given:
            with watch(handler, [delivery]):
                handler.call(payloads_for(handler, [delivery]), db)

    def batch(given: Iterable[Delivery], db: HandlerSession | None) -> None:
        deliveries = list(given)
        with watch(handler, deliveries):
            handler.call(payloads_for(handler, deliveries), db)

    return batch if handler.takes_list else each


def _awaited(handler: Handler, watch: Watch) -> Callable[..., Any]:
    """For lanes in memory, which await the function itself."""

    @wraps(handler.function)
    async def function(delivery: Delivery) -> None:
        with watch(handler, [delivery]):
            await handler.function(*payloads_for(handler, [delivery]))  # type: ignore[misc]

    return function
