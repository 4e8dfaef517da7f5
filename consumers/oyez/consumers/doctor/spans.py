"""Spans of time as findings name them."""

from __future__ import annotations

DAY = 86_400.0


def days(seconds: float | None) -> str:
    """In days, or in seconds if it is less than one."""
    count = (seconds or 0.0) / DAY
    return f"{round(count, 2):g} days" if count >= 1 else f"{seconds or 0.0:g} s"
