"""Callers: how a handler is called, made once for each handler when it is registered.

A caller takes the events of a batch, in order, so that the loop over them holds nothing but the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from oyez.schemas import Event

from ..core.awaiting import awaited
from .signature import Injected, Signature
from .tools import Tool

if TYPE_CHECKING:
    from ..database.session import HandlerSession

Call: TypeAlias = "Callable[[Iterable[Any], HandlerSession | None], None]"
"""Calls a handler with its events (models or `Event`s); the session is None for one with no database parameter. A
handler with tools is called with `Event`s whatever it takes: they have to know what it is called for."""


def caller(
    function: Callable[..., object], signature: Signature, handler: str, timeout: float | None = None
) -> Call:
    """The caller for the form and injected parameters of the handler of this name. ``timeout``: the seconds that an
    ``async def`` has for an event; it is awaited by its caller, on an event loop."""
    injected = signature.injected
    if signature.is_async:
        function = awaited(function, timeout)
    if signature.tools:
        equipped = _batch_equipped if signature.form.is_batch else _each_equipped
        return equipped(function, signature, handler)
    if signature.form.is_batch:
        return _batch(function, injected)
    return _each(function, injected) if injected else _each_plain(function)


def _each_plain(function: Callable[..., object]) -> Call:
    def call(events: Iterable[Any], db: HandlerSession | None) -> None:
        for event in events:
            function(event)

    return call


def _each(function: Callable[..., object], injected: dict[str, Any]) -> Call:
    def call(events: Iterable[Any], db: HandlerSession | None) -> None:
        extra = _resources(injected, db)
        for event in events:
            function(event, **extra)

    return call


def _batch(function: Callable[..., object], injected: dict[str, Any]) -> Call:
    def call(events: Iterable[Any], db: HandlerSession | None) -> None:
        function(list(events), **_resources(injected, db))

    return call


def _each_equipped(function: Callable[..., object], signature: Signature, handler: str) -> Call:
    given = _given(signature)

    def call(events: Iterable[Event[Any]], db: HandlerSession | None) -> None:
        extra, tools = _equipment(signature, handler, db)
        try:
            for event in events:
                for tool in tools:
                    tool.begin([event], event)
                function(given(event), **extra)
            for tool in tools:
                tool.finish()
        finally:
            for tool in tools:
                tool.end()

    return call


def _batch_equipped(function: Callable[..., object], signature: Signature, handler: str) -> Call:
    given = _given(signature)

    def call(events: Iterable[Event[Any]], db: HandlerSession | None) -> None:
        extra, tools = _equipment(signature, handler, db)
        batch = list(events)
        try:
            for tool in tools:
                tool.begin(batch, None)
            function([given(event) for event in batch], **extra)
            for tool in tools:
                tool.finish()
        finally:
            for tool in tools:
                tool.end()

    return call


def _given(signature: Signature) -> Callable[[Event[Any]], Any]:
    """What the handler takes of an event."""
    return _itself if signature.form.is_event else attrgetter("data")


def _itself(event: Event[Any]) -> Event[Any]:
    return event


def _equipment(
    signature: Signature, handler: str, db: HandlerSession | None
) -> tuple[dict[str, Any], Sequence[Tool]]:
    """What is injected, and the tools among it: one of a kind, made when the session has what it stands on."""
    assert db is not None  # a tool counts as a database parameter
    resources = _resources(signature.injected, db)
    tools = {kind: kind(db.tool_context, handler, db.joined) for kind in signature.tools}
    extra = {name: tools[kind] for name, kind in signature.injected.items() if kind in tools}
    return resources | extra, list(tools.values())


def _resources(injected: Mapping[str, Injected], db: HandlerSession | None) -> dict[str, Any]:
    if db is None:
        return {}
    if takes_session(injected):
        db.connection()  # for a session: a savepoint of the session's own is outside of all that the handler makes
    return {name: _resource(kind, db) for name, kind in injected.items() if not issubclass(kind, Tool)}


def _resource(kind: Injected, db: HandlerSession) -> Any:
    from ..database import asynchronous  # noqa: PLC0415 # a handler without a database does not load it

    match kind.__name__:
        case "Session":
            return db
        case "Connection":
            return db.joined
        case "AsyncSession":
            return asynchronous.session(db)
        case _:
            return asynchronous.connection(db.joined)


def takes_session(injected: Mapping[str, Injected]) -> bool:
    """Whether a session is among what is injected."""
    return any(kind.__name__ in ("Session", "AsyncSession") for kind in injected.values())
