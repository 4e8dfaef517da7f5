"""A graph as shapes for an SVG: boxes in columns, and what leads from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .layers import Link, Spot, layered

BOX, TALL = 190, 34  # of a node
ACROSS, DOWN = 70, 18  # between two columns, and two rows
MARGIN = 10
LETTERS = 24
"""Letters of a name that a box has room for."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node: the upper left corner of its box, and its name, shortened where it is too long. ``own``: it has an edge
    to itself."""

    x: float
    y: float
    name: str
    text: str
    own: bool
    width: int = BOX
    height: int = TALL


@dataclass(frozen=True, slots=True)
class Line:
    """An edge: its path, and what it connects. ``backward``: it closes a circle."""

    path: str
    source: str
    target: str
    backward: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """All shapes, within ``width`` and ``height``."""

    width: float
    height: float
    boxes: Sequence[Box]
    lines: Sequence[Line]


def graph(nodes: Iterable[str], links: Iterable[Link]) -> Graph:
    """Draw nodes and edges from left to right."""
    names, edges = list(nodes), list(dict.fromkeys(links))
    found = layered(names, edges)
    rows = max((len(layer) for layer in found.layers), default=0)
    places = _places(found.layers, rows)
    own = {one.source for one in edges if one.source == one.target}
    boxes = [
        Box(*places[Spot(name)], name, _shortened(name), name in own)
        for name in dict.fromkeys(names)
        if Spot(name) in places
    ]
    lines = [
        Line(_through(route, places), one.source, one.target, backward=False)
        for one, route in found.routes.items()
    ]
    lines += [
        Line(_back(places[Spot(one.source)], places[Spot(one.target)]), *one, backward=True)
        for one in found.backward
    ]
    columns = len(found.layers)
    return Graph(
        width=2 * MARGIN + columns * BOX + max(0, columns - 1) * ACROSS + (20 if own else 0),
        height=2 * MARGIN + rows * TALL + max(0, rows - 1) * DOWN + (DOWN if found.backward else 0),
        boxes=boxes,
        lines=lines,
    )


def _places(layers: Sequence[Sequence[Spot]], rows: int) -> dict[Spot, tuple[float, float]]:
    """Upper left corners; each column stands in the middle."""
    places: dict[Spot, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        above = (rows - len(layer)) * (TALL + DOWN) / 2
        for row, spot in enumerate(layer):
            places[spot] = (MARGIN + column * (BOX + ACROSS), MARGIN + above + row * (TALL + DOWN))
    return places


def _through(route: Sequence[Spot], places: Mapping[Spot, tuple[float, float]]) -> str:
    """A curve from the right side of the first box to the left side of the last one."""
    x, y = places[route[0]]
    path = f"M{x + BOX:g} {y + TALL / 2:g}"
    at = (x + BOX, y + TALL / 2)
    for spot in route[1:]:
        x, y = places[spot]
        path += _curve(at, (x, y + TALL / 2))
        at = (x, y + TALL / 2)
        if spot.passing is not None:
            at = (x + BOX, at[1])
            path += f"L{at[0]:g} {at[1]:g}"
    return path


def _curve(at: tuple[float, float], to: tuple[float, float]) -> str:
    middle = (at[0] + to[0]) / 2
    return f"C{middle:g} {at[1]:g} {middle:g} {to[1]:g} {to[0]:g} {to[1]:g}"


def _back(source: tuple[float, float], target: tuple[float, float]) -> str:
    """Below the boxes, from the foot of one to the foot of the other."""
    (x, y), (to_x, to_y) = source, target
    low = max(y, to_y) + TALL + DOWN
    return f"M{x + BOX / 2:g} {y + TALL:g}C{x:g} {low:g} {to_x + BOX:g} {low:g} {to_x + BOX / 2:g} {to_y + TALL:g}"


def _shortened(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
