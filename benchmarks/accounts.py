"""What became of the events of a row: none is lost and none is handled twice, or the benchmark stops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import NamedTuple

Handled = Callable[[], Collection[Hashable]]
"""Which events were handled since it was last asked: their numbers, each as often as it was."""


class NotOnce(Exception):
    """Events were lost, or handled more than once."""


class Loop(NamedTuple):
    """One of the two sides of a row: what is measured, and what is asked once it is done."""

    run: Callable[[], object]
    handled: Handled


def once(where: str, expected: int, handled: Collection[Hashable]) -> None:
    """Raises `NotOnce` unless so many different events were handled, and each of them once."""
    different = len(set(handled))
    lost, again = expected - different, len(handled) - different
    if lost or again:
        what = f"{-lost:,} too many" if lost < 0 else f"{lost:,} lost"
        raise NotOnce(f"{where}: of {expected:,} events {what}, {again:,} handled more than once")


class Notes:
    """What handlers note of the events that they were given."""

    def __init__(self) -> None:
        self.numbers: list[Hashable] = []

    def take(self) -> list[Hashable]:
        """What was noted since this was last called."""
        taken = self.numbers.copy()
        self.numbers.clear()
        return taken
