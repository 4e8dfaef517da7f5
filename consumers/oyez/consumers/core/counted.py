"""Counts in words."""

from __future__ import annotations


def several(count: int, what: str = "delivery") -> str:
    """A count with its noun."""
    if count == 1:
        return f"1 {what}"
    return f"{count} {what.removesuffix('y')}{'ies' if what.endswith('y') else 's'}"
