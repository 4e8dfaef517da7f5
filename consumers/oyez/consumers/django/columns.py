"""How the admin pages show what is in a column."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float | None) -> str:
    """A time of Oyez's, in UTC."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def written(value: bytes | memoryview | None) -> str:
    """An event's bytes as text."""
    return "" if value is None else bytes(value).decode(errors="backslashreplace")
