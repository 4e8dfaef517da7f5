"""A plot of one measure over time, as shapes for an SVG; where nothing is known, its line is interrupted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

WIDTH, HEIGHT = 320, 120
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 20
ROWS = 12
"""Rows of the table that says the same."""

Values = Sequence[float | None]
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Label:
    """A short text at a place; ``anchor`` says which part of it stands there, as SVG calls it."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Row:
    """What the plot shows from ``since`` on, until the next row."""

    since: datetime
    value: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Shapes within `WIDTH` and `HEIGHT`. ``lines`` and ``areas`` are paths, one for each uninterrupted part; ``grid``
    has the heights of horizontal lines. ``said`` is the plot in a sentence, ``rows`` are it as a table."""

    title: str
    said: str
    lines: Sequence[str]
    areas: Sequence[str]
    grid: Sequence[float]
    labels: Sequence[Label]
    rows: Sequence[Row]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def plot(title: str, values: Values, since: datetime, step: timedelta, write: Write) -> Plot:
    """Plot values, the first of which is of ``since``, and each one ``step`` later. ``write`` writes a value."""
    top = ceiling(max((value for value in values if value is not None), default=0.0))
    parts = [list(part) for part in _parts(values, top)]
    base = HEIGHT - BOTTOM
    until = since + step * len(values)
    return Plot(
        title=title,
        said=_said(values, write),
        lines=[_line(part) for part in parts],
        areas=[f"{_line(part)}L{part[-1][0]:g} {base}L{part[0][0]:g} {base}Z" for part in parts],
        grid=[TOP, round((TOP + base) / 2, 1), base],
        labels=[
            Label(LEFT - 4, TOP + 4, write(top), "end"),
            Label(LEFT - 4, base + 4, write(0.0), "end"),
            Label(LEFT, HEIGHT - 4, f"{since:%H:%M}", "start"),
            Label(WIDTH - RIGHT, HEIGHT - 4, f"{until:%H:%M} UTC", "end"),
        ],
        rows=list(_rows(values, since, step, write)),
    )


def ceiling(value: float) -> float:
    """The next number that is easy to read: 1, 2 or 5 times a power of ten; 1 for nothing."""
    if not 0.0 < value < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= value), value)


def _parts(values: Values, top: float) -> Iterator[Iterator[tuple[float, float]]]:
    """The points of each part without a gap."""
    width = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)
    height = HEIGHT - TOP - BOTTOM
    for known, group in groupby(enumerate(values), key=lambda pair: pair[1] is not None):
        if known:
            yield (
                (round(LEFT + at * width, 1), round(TOP + height * (1 - min(value or 0.0, top) / top), 1))
                for at, value in group
            )


def _line(points: Sequence[tuple[float, float]]) -> str:
    """A path through points; one alone is a short dash."""
    (x, y), *rest = points
    if not rest:
        return f"M{x - 1:g} {y:g}L{x + 1:g} {y:g}"
    return f"M{x:g} {y:g}" + "".join(f"L{x:g} {y:g}" for x, y in rest)


def _said(values: Values, write: Write) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "Nothing is known of this time."
    return f"From {write(min(known))} to {write(max(known))}, at last {write(known[-1])}."


def _rows(values: Values, since: datetime, step: timedelta, write: Write) -> Iterator[Row]:
    """Parts of the same length, each with its highest value."""
    each = max(1, math.ceil(len(values) / ROWS))
    for at in range(0, len(values), each):
        known = [value for value in values[at : at + each] if value is not None]
        yield Row(since + step * at, write(max(known)) if known else "not known")
