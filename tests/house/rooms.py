"""The rooms of a package and the imports between them, beside the order that they are to stand in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from .imports import HOME, Import, imports, modules
from .order import Order

Graph = dict[str, set[str]]


class Rooms:
    """The rooms of one root. Without an order each folder and module at the top is one."""

    def __init__(self, root: str, order: Order = (), home: Path = HOME) -> None:
        self.root = root
        self._rank = {room: rank for rank, rooms in enumerate(order) for room in rooms}
        self.modules = modules(root, home)
        self.imports = imports(root, home)
        self.names = sorted({self.room(module) for module in self.modules})

    def room(self, module: str) -> str:
        """The room that a module stands in: the innermost that the order names, else the outermost."""
        name = module
        while name and name not in self._rank:
            name = name.rpartition(".")[0]
        return name or module.partition(".")[0]

    @property
    def unknown(self) -> list[str]:
        """Rooms that the order does not name, and those that it names though they do not exist."""
        return sorted(set(self.names) ^ self._rank.keys())

    @property
    def between(self) -> list[Import]:
        """The imports that leave their room."""
        return [one for one in self.imports if self.room(one.importer) != self.room(one.imported)]

    @property
    def climbs(self) -> list[Import]:
        """The imports of what does not stand below their room."""
        assert not self.unknown, f"in the order only, or in the package only: {self.unknown}"
        ranks = self._rank
        return [
            one for one in self.between if ranks[self.room(one.importer)] >= ranks[self.room(one.imported)]
        ]

    @property
    def graph(self) -> Graph:
        """Which rooms each room imports."""
        return graph(self.between, self.room)

    @property
    def floors(self) -> list[list[str]]:
        """The rooms on as few floors as the imports need, the highest first; a circle is on one."""
        floor: dict[str, int] = {}
        needs = self.graph
        for circle in components(needs, self.names):
            below = {floor[other] for room in circle for other in needs[room] if other not in circle}
            floor |= dict.fromkeys(circle, max(below, default=-1) + 1)
        height = max(floor.values())
        return [[room for room in self.names if floor[room] == at] for at in range(height, -1, -1)]


def graph(found: Iterable[Import], name: Callable[[str], str] = str) -> Graph:
    """Which names import which."""
    needs: Graph = defaultdict(set)
    for one in found:
        needs[name(one.importer)].add(name(one.imported))
    return needs


def circles(needs: Graph) -> list[list[str]]:
    """What imports itself, by way of others."""
    return [found for found in components(needs, sorted(needs)) if len(found) > 1]


def components(needs: Graph, names: Iterable[str]) -> list[list[str]]:
    """The names, those together that reach one another (Tarjan's algorithm); each after what it imports."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        open_.append(name)
        for other in sorted(needs.get(name, ())):
            if other not in index:
                visit(other)
            if other in open_:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == index[name]:
            at = open_.index(name)
            found.append(sorted(open_[at:]))
            del open_[at:]

    for name in names:
        if name not in index:
            visit(name)
    return found
