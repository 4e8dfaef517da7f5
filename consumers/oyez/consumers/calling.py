"""Callers: how a handler is called, made once for each handler when it is registered.

A caller takes the events of a batch, in order, so that the loop over them holds nothing but the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from .database.connection import HandlerSession
from .signature import Signature

Call = Callable[[Iterable[Any], HandlerSession | None], None]
"""Calls a handler with its events (models or `Event`s); the session is None for one with no database parameter."""


def caller(function: Callable[..., object], signature: Signature) -> Call:
    """The caller for a handler's form and injected parameters."""
    injected = signature.injected
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


def _resources(injected: dict[str, Any], db: HandlerSession | None) -> dict[str, Session | Connection]:
    if db is None:
        return {}
    if Session in injected.values():
        db.connection()  # a savepoint of the session's own is outside of all that the handler makes
    return {name: db.joined if kind is Connection else db for name, kind in injected.items()}
