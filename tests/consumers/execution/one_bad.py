"""Events of which one is bad."""

from __future__ import annotations

EVENTS = range(50)
BAD = 30


def fail(n: int, error: BaseException | None = None) -> None:
    if n == BAD:
        raise error or ValueError("bad")
