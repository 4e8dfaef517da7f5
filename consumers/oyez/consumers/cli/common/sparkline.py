"""A series as a line of small bars."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*#@"
"""The same where letters are all that can be written."""


def sparkline(values: Sequence[float | None], bars: str = BARS) -> str:
    """A bar for each value, as high as it is beside the highest one; a blank where nothing is known."""
    most = max((value for value in values if value is not None), default=0.0)
    return "".join(" " if value is None else bars[_level(value, most, len(bars))] for value in values)


def _level(value: float, most: float, levels: int) -> int:
    """The lowest bar is for nothing alone."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, min(levels - 1, round(value / most * (levels - 1))))
