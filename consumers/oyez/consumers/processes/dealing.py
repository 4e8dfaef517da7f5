"""Which workers share a process."""

from __future__ import annotations

from collections.abc import Sequence

from .spec import ProcessSpec


def deal(specs: Sequence[ProcessSpec], processes: int | None) -> list[list[ProcessSpec]]:
    """The workers, dealt in turn over so many processes at most; None: one for each. Those of a group are beside one
    another in ``specs``, so that they are in processes of their own where there are as many."""
    count = len(specs) if processes is None else min(processes, len(specs))
    return [list(specs[number::count]) for number in range(count)]
