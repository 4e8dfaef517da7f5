"""``python -m house [PROJECT]``: the rooms of each root, the floors that their imports need, and what climbs."""

from __future__ import annotations

import sys
from pathlib import Path

from .imports import HOME, Import
from .order import ORDERS, ROOTS, Order
from .rooms import Rooms, circles, graph


def figures(root: str, order: Order, home: Path) -> str:
    """A few lines about one root. An order that is of another state of the project says nothing about this one."""
    rooms = Rooms(root, order, home)
    if rooms.unknown:
        rooms = Rooms(root, home=home)
    between = sum(map(len, rooms.graph.values()))
    lines = [
        f"{root}: {len(rooms.modules)} files in {len(rooms.names)} rooms on {len(rooms.floors)} floors",
        *(f"    {'  '.join(room or '(itself)' for room in floor)}" for floor in rooms.floors),
        f"  between rooms: {between} (by {len(rooms.between)} imports)",
    ]
    if order and not Rooms(root, order, home).unknown:
        lines += _listed("run back up", [_line(one) for one in rooms.climbs])
    lines += _listed("circles of rooms", [", ".join(circle) for circle in circles(rooms.graph)])
    lines += _listed("circles of files", [", ".join(circle) for circle in circles(graph(rooms.imports))])
    return "\n".join(lines)


def _listed(what: str, found: list[str]) -> list[str]:
    return [f"  {what}: {len(found)}", *(f"    {line}" for line in found)]


def _line(one: Import) -> str:
    return f"{one.importer} imports {one.imported}"


if __name__ == "__main__":
    project = Path(sys.argv[1]).resolve() if sys.argv[1:] else HOME
    for name in reversed(ROOTS):
        print(figures(name, ORDERS.get(name, ()), project))
