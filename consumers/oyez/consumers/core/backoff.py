"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeGuard

from oyez.producers.delays import Delays

LONGEST_PAUSE = 3650 * 86_400.0
"""Seconds; no pause and no age may be longer."""


@dataclass(frozen=True)
class Backoff:
    """How one handler's failing deliveries are tried again: ``@on(Signal, retry=Backoff(first=30, attempts=5))``.

    ``first``: seconds until the second attempt; each later pause is twice as long, up to ``longest`` seconds.
    ``attempts``: after so many failed ones a delivery is a dead letter. ``max_age``: so is one that fails, or waits,
    for more seconds than this as the head of its key. What is None is as the settings say (``OYEZ_MAX_ATTEMPTS``,
    ``OYEZ_MAX_AGE``) or, of the pauses, 1 s and one hour. Raises ValueError for a number that makes no sense.
    """

    first: float | None = None
    longest: float | None = None
    attempts: int | None = None
    max_age: float | None = None

    def __post_init__(self) -> None:
        for name in ("first", "longest", "max_age"):
            given: object = getattr(self, name)
            if given is not None and not (is_number(given) and 0 < given <= LONGEST_PAUSE):
                raise ValueError(
                    f"Backoff: {name} is {given!r}; give seconds above 0, at most {LONGEST_PAUSE:.0f}"
                )
        attempts: object = self.attempts
        if attempts is not None and not (type(attempts) is int and attempts >= 1):
            raise ValueError(f"Backoff: attempts is {attempts!r}; give a whole number, at least 1")
        if self.first is not None and self.longest is not None and self.longest < self.first:
            raise ValueError(
                f"Backoff: longest is {self.longest!r}, less than first, which is {self.first!r}"
            )

    def __str__(self) -> str:
        said = {name: value for name, value in vars(self).items() if value is not None}
        return ", ".join(f"{name} {value:g}" for name, value in said.items())


@dataclass(frozen=True)
class RetryPolicy:
    """Backoff of ``first`` s · 2ⁿ up to ``longest`` s, give or take ``spread``; given up after ``max_attempts``,
    or after ``max_age`` s as the head of its key."""

    max_attempts: int = 25
    max_age: float = 86_400.0
    first: float = 1.0
    longest: float = 3_600.0
    spread: float = 0.2
    uniform: Callable[[float, float], float] = random.uniform

    def delay(self, attempts: int) -> float:
        """Seconds until the attempt after ``attempts`` failed ones."""
        return Delays(self.first, self.longest, self.spread, self.uniform).after(attempts)

    def of(self, handler: Backoff | None) -> RetryPolicy:
        """The same with what one handler has said of its own."""
        if handler is None:
            return self
        first = self.first if handler.first is None else handler.first
        return replace(
            self,
            first=first,
            longest=max(first, self.longest) if handler.longest is None else handler.longest,
            max_attempts=self.max_attempts if handler.attempts is None else handler.attempts,
            max_age=self.max_age if handler.max_age is None else handler.max_age,
        )


def is_number(given: object) -> TypeGuard[float]:
    """Whether something is a number, and no truth value."""
    return isinstance(given, int | float) and not isinstance(given, bool)
