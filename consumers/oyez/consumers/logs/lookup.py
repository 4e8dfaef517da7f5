"""Kinds of logs by the name of their transport."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from oyez.producers import SettingsError
from oyez.producers.lookup import entry_of

from .backend import LogBackend
from .settings import LogSettings

GROUP = "oyez.logs"
"""The entry point group: a transport's name -> a function from `LogSettings` to a `LogBackend`."""


def log_backend(settings: LogSettings) -> LogBackend:
    """The log of the transport that is set.

    Raises `SettingsError` for a transport that leaves nothing to listen to, or one that cannot be imported.
    """
    found = find_log_backend(settings)
    if found is None:
        known = " or ".join(sorted({point.name for point in entry_points(group=GROUP)}))
        raise SettingsError(
            f"transport {settings.transport} (OYEZ_TRANSPORT) leaves nothing to listen to; "
            f"use {known or 'none: is oyez installed?'}"
        )
    return found


def find_log_backend(settings: LogSettings) -> LogBackend | None:
    """The same, or None for a transport that leaves nothing to listen to. `SettingsError`: there is no such
    transport."""
    found = entry_points(group=GROUP, name=settings.transport)
    if not found:
        entry_of(settings)
        return None
    (point, *_) = found
    backend: LogBackend = _load(point)(settings)
    return backend


def _load(point: EntryPoint):  # type: ignore[no-untyped-def] # whatever the entry point names
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"log {point.name!r}: {point.value} cannot be imported: {error}") from error
