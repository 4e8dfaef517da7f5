"""A check, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from .setup import Setup

State = Literal["ok", "warning", "wrong", "not checked"]
LIMIT = 10.0  # s; a check that has no answer by then is given up


@dataclass(frozen=True)
class Finding:
    """What a check has found, in one line. ``advice`` is what to do about it, if there is something to be done."""

    state: State
    says: str
    advice: str | None = None


@dataclass(frozen=True)
class Check:
    """``needs`` are the names of checks without whose success this one could only find the same cause again. ``look``
    raises an error of Oyez's, a driver's or a client's for what stands in the way of looking: that is what it has
    found, and ``advice`` is what to do about it, unless the error says so itself. ``limit`` is in seconds."""

    name: str
    needs: Sequence[str]
    look: Callable[[Setup], Sequence[Finding]]
    limit: float = LIMIT
    advice: str | None = None


@dataclass(frozen=True)
class Result:
    """A finding, under the name of its check. ``because``: the check that this one was left out for."""

    check: str
    state: State
    says: str
    advice: str | None = None
    because: str | None = None


def ok(says: str) -> list[Finding]:
    """Nothing is wrong."""
    return [Finding("ok", says)]


def not_checked(why: str) -> list[Finding]:
    """There is nothing to look at."""
    return [Finding("not checked", why)]


def wrong(message: str) -> Finding:
    """What an error says. Those of Oyez's end with what to do, after a semicolon."""
    says, semicolon, advice = message.rpartition("; ")
    return Finding("wrong", says, advice) if semicolon else Finding("wrong", message)
