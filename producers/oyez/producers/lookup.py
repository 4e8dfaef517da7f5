"""Transports by name."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from oyez.schemas.nearest import did_you_mean

from .errors import SettingsError
from .settings import Settings
from .transport import Transport

GROUP = "oyez.transports"
"""The entry point group: a name -> a function from Settings to a Transport."""


def transport_from(settings: Settings) -> Transport:
    """The transport that `settings` name. SettingsError: there is none, or it cannot be imported."""
    transport: Transport = _load(entry_of(settings))(settings)
    return transport


def entry_of(settings: Settings) -> EntryPoint:
    """Where the transport is that `settings` name: it is not imported. SettingsError: there is none of that name."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    point = found.get(settings.transport)
    if point is None:
        known = ", ".join(sorted(found)) or "none; is oyez installed?"
        meant = did_you_mean(settings.transport, found)
        raise SettingsError(
            f"transport {settings.transport!r} (OYEZ_TRANSPORT) is unknown{meant}; known: {known}"
        )
    return point


def options_from(settings: Settings) -> dict[str, Any]:
    """What an announcer is given besides its transport."""
    return {
        "source": settings.source,
        "topic": settings.topic,
        "flush_timeout": settings.flush_timeout,
        "schema": settings.database_schema,
    }


def _load(point: EntryPoint):  # type: ignore[no-untyped-def] # whatever the entry point names
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"transport {point.name!r}: {point.value} cannot be imported: {error}") from error
