"""The layers of a directed graph: each node stands after all that its edges come from, and edges cross little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 4  # by which the order within layers is improved


class Link(NamedTuple):
    """An edge, from a node to one that comes after it."""

    source: str
    target: str


class Spot(NamedTuple):
    """Something in a layer: a node, or where an edge passes through it, which is numbered from 1."""

    name: str
    passing: tuple[Link, int] | None = None


class Layered(NamedTuple):
    """Spots in their layers and in their order there, and each edge by the spots through which it goes. ``backward``
    are edges that would close a circle; they are in none of the others."""

    layers: Sequence[Sequence[Spot]]
    routes: Mapping[Link, Sequence[Spot]]
    backward: Sequence[Link]


def layered(nodes: Iterable[str], links: Iterable[Link]) -> Layered:
    """Put nodes into layers. Edges from a node to itself are left out."""
    names = list(dict.fromkeys(nodes))
    given = [one for one in dict.fromkeys(links) if one.source != one.target]
    backward = _closing(names, given)
    forward = [one for one in given if one not in backward]
    depth = _depths(names, forward)
    routes = {one: _route(one, depth) for one in forward}
    layers = _first_order(names, depth, routes)
    return Layered(_untangled(layers, routes), routes, backward)


def _closing(names: Sequence[str], links: Sequence[Link]) -> list[Link]:
    """Edges that lead back to where a walk along edges came from."""
    targets = _targets(links)
    open_, done, closing = set[str](), set[str](), list[Link]()
    for name in names:
        walk = [(name, iter(targets[name]))] if name not in done else []
        open_.update(one for one, _ in walk)
        while walk:
            at, rest = walk[-1]
            following = next(rest, None)
            if following is None:
                walk.pop()
                open_.discard(at)
                done.add(at)
            elif following in open_:
                closing.append(Link(at, following))
            elif following not in done:
                open_.add(following)
                walk.append((following, iter(targets[following])))
    return closing


def _targets(links: Iterable[Link]) -> defaultdict[str, list[str]]:
    targets: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        targets[link.source].append(link.target)
    return targets


def _depths(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The length of the longest way to each node."""
    missing: dict[str, int] = dict.fromkeys(names, 0)
    for link in links:
        missing[link.target] += 1
    depth = dict.fromkeys(names, 0)
    ready = [name for name in names if not missing[name]]
    targets = _targets(links)
    for name in ready:  # it grows
        for target in targets[name]:
            depth[target] = max(depth[target], depth[name] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return depth


def _route(link: Link, depth: Mapping[str, int]) -> list[Spot]:
    between = range(1, depth[link.target] - depth[link.source])
    passing = [Spot(f"{link.source} {link.target}", (link, at)) for at in between]
    return [Spot(link.source), *passing, Spot(link.target)]


def _first_order(
    names: Sequence[str], depth: Mapping[str, int], routes: Mapping[Link, Sequence[Spot]]
) -> list[list[Spot]]:
    layers: list[list[Spot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in names:
        layers[depth[name]].append(Spot(name))
    for link, route in routes.items():
        for at, spot in enumerate(route[1:-1], depth[link.source] + 1):
            layers[at].append(spot)
    return layers


def _untangled(layers: list[list[Spot]], routes: Mapping[Link, Sequence[Spot]]) -> list[list[Spot]]:
    """Each spot near the middle of what it is connected with: layer by layer, forth and back."""
    before: defaultdict[Spot, list[Spot]] = defaultdict(list)
    after: defaultdict[Spot, list[Spot]] = defaultdict(list)
    for route in routes.values():
        for one, other in pairwise(route):
            after[one].append(other)
            before[other].append(one)
    for sweep in range(SWEEPS):
        neighbours, order = (before, layers) if sweep % 2 == 0 else (after, layers[::-1])
        for fixed, moved in pairwise(order):
            _by_middle(moved, neighbours, {spot: at for at, spot in enumerate(fixed)})
    return layers


def _by_middle(
    layer: list[Spot], neighbours: Mapping[Spot, Sequence[Spot]], place: Mapping[Spot, int]
) -> None:
    own = {spot: at for at, spot in enumerate(layer)}

    def middle(spot: Spot) -> float:
        places = [place[one] for one in neighbours.get(spot, ()) if one in place]
        return sum(places) / len(places) if places else float(own[spot])

    layer.sort(key=middle)
