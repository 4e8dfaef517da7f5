"""In which order groups are given what was announced: as it was, or in any order that Kafka may give."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from ..database.positions import Partition

T = TypeVar("T")


class Arrival(NamedTuple):
    """An event on its way into the log. ``source`` and ``id`` are empty where it names none."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    source: str
    id: str


class Order(Protocol):
    """Decides whatever Kafka, or chance, decides elsewhere."""

    def arranged(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """The order in which these come into the log."""

    def next(self, heads: Mapping[Partition, int]) -> Partition:
        """The partition of which a group is given a record next; ``heads`` has the number of its first one that was not
        read, in the order of arriving."""

    def room(self, limit: int) -> int:
        """How many records, ``limit`` at most, a group is given at once."""

    def mixed(self, groups: Iterable[T]) -> list[T]:
        """The groups, in the order in which they have their turns."""


class AsAnnounced:
    """As it was announced, and as much at once as a worker takes."""

    def arranged(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        return arrivals

    def next(self, heads: Mapping[Partition, int]) -> Partition:
        return min(heads, key=heads.__getitem__)

    def room(self, limit: int) -> int:
        return limit

    def mixed(self, groups: Iterable[T]) -> list[T]:
        return list(groups)


class AnyOrder:
    """Any order that Kafka may give, by a seed: of a key and a source, events stay in order; all else is mixed, for
    each group in a way of its own, and in batches of any size."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 # it is to repeat

    def arranged(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        lines: dict[object, list[Arrival]] = {}
        for at, one in enumerate(arrivals):
            line = at if one.key is None else (one.source, one.topic, one.key)
            lines.setdefault(line, []).append(one)
        return self._merged(list(lines.values()))

    def next(self, heads: Mapping[Partition, int]) -> Partition:
        return self._random.choice(sorted(heads, key=heads.__getitem__))

    def room(self, limit: int) -> int:
        return min(limit, self._random.choice((0, 1, 1, 2, 3, 5, 10, limit)))

    def mixed(self, groups: Iterable[T]) -> list[T]:
        return self._random.sample(found := list(groups), len(found))

    def _merged(self, lines: list[list[Arrival]]) -> list[Arrival]:
        """One of them for each of its events, shuffled, says whose turn it is."""
        turns = [line for line in lines for _ in line]
        self._random.shuffle(turns)
        rests = {id(line): iter(line) for line in lines}
        return [next(rests[id(line)]) for line in turns]
