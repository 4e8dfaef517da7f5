"""A worker that leaves lets go of everything, whatever goes wrong with a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.pipeline import Placed, Play
from oyez.consumers import Handlers

PARTS = ["reading", "lanes", "wakeups", "log", "relay"]
"""In the order in which they are let go of: what runs ends before what it runs in."""


class Part:
    """Notes that it was let go of."""

    def __init__(self, name: str, left: list[str], breaks: str) -> None:
        self._name = name
        self._left = left
        self._breaks = breaks

    def leave(self) -> None:
        self._left.append(self._name)
        if self._name == self._breaks:
            raise OSError(f"{self._name} is broken")

    close = leave


@pytest.mark.parametrize("breaks", PARTS)
def test_what_breaks_leaves_nothing_open(play: Play, breaks: str) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed) -> None: ...

    pipeline = play(on)
    worker: Any = pipeline.worker("shop.placed")
    worker.leave()
    left: list[str] = []
    for name in PARTS:
        setattr(worker, f"_{name}", Part(name, left, breaks))
    with pytest.raises(OSError, match=f"{breaks} is broken"):
        worker.leave()
    assert left == PARTS
