"""Counts in words."""

from __future__ import annotations

from typing import Literal

Unit = Literal["records", "bytes"]
"""What the offsets of a log count, and so lags."""


def several(count: int, what: str = "delivery") -> str:
    """A count with its noun."""
    if count == 1:
        return f"1 {what}"
    return f"{count} {what.removesuffix('y')}{'ies' if what.endswith('y') else 's'}"


def amount(count: int, unit: str | None) -> str:
    """So many records, or so many bytes, with their noun."""
    return str(measured(count, unit)) if unit == "bytes" else several(count, "record")


def measured(count: int | None, unit: str | None) -> str | int:
    """A count of records as it is, one of bytes with its unit, such as `3.4 MB`; `unknown` where there is none."""
    if count is None:
        return "unknown"
    if unit != "bytes":
        return count
    if count < 1000:
        return f"{count} bytes"
    size, prefix = count / 1000, iter("MGTPE")
    name = "k"
    while size >= 999.95:
        size, name = size / 1000, next(prefix)
    return f"{size:.1f} {name}B"
