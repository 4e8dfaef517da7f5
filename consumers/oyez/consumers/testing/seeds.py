"""Seeds of orders that nobody has asked for: another one each time, until one is to be repeated."""

from __future__ import annotations

from collections.abc import Callable

MOST = 2**32


class Seeds:
    """The seeds of one test, which follow from its first one."""

    def __init__(self, first: int | None, random_below: Callable[[int], int]) -> None:
        """``random_below`` gives the first one, unless that is given."""
        self.first = random_below(MOST) if first is None else first
        self._next = self.first

    def next(self) -> int:
        """One that this test has not had."""
        seed = self._next
        self._next = (seed + 1) % MOST
        return seed
