"""What is written at once is cut, so that a part may find room where all of it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")

_PIECE = 1024 * 1024


def pieces(things: Sequence[Thing], size: Callable[[Thing], int]) -> Iterator[Sequence[Thing]]:
    """Things, in pieces of about a megabyte; ``size`` gives a thing's bytes."""
    begin = total = 0
    for n, one in enumerate(things):
        total += size(one)
        if total > _PIECE:
            yield things[begin : n + 1]
            begin, total = n + 1, 0
    if begin < len(things):
        yield things[begin:]
