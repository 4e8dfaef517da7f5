"""What a scenario found."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """A scenario's figures; ``wrong`` says what does not hold."""

    name: str
    values: Mapping[str, object]
    wrong: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        said = " ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.name}: {said} {'HOLDS' if self.holds else 'FAILS: ' + '; '.join(self.wrong)}"


def judged(name: str, values: Mapping[str, object], **must: object) -> Figures:
    """Figures of which some must be as told."""
    wrong = [
        f"{key} is {values[key]}, must be {value}" for key, value in must.items() if values[key] != value
    ]
    return Figures(name, values, tuple(wrong))


def overtaken(handled: Iterable[tuple[Hashable, int]]) -> int:
    """The keys of which some number came after a later one, of (key, number) as they were handled."""
    last: dict[Hashable, int] = {}
    wrong = set()
    for key, n in handled:
        if last.get(key, -1) > n:
            wrong.add(key)
        last[key] = n
    return len(wrong)
