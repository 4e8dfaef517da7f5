"""How handlers failed, in as few words as there are kinds of failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LONGEST = 300  # characters of an error that are shown


@dataclass
class Faults:
    """Counts failures by handler and type of error, with the text of the first one."""

    _found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, handler: str, kind: str, error: str) -> None:
        """A handler failed with an error of the type ``kind``; ``error`` may have several lines."""
        self._put((handler, kind), 1, error.partition("\n")[0])

    def merge(self, other: Faults) -> None:
        """Add what another has counted."""
        for key, (count, first) in other._found.items():
            self._put(key, count, first)

    def count(self, kind: str) -> Mapping[str, int]:
        """How often each handler failed with an error of this type."""
        return {handler: count for (handler, one), (count, _) in self._found.items() if one == kind}

    def each(self) -> Iterator[tuple[str, str, int, str]]:
        """Each handler and type of error, how often that was, and the first one's text."""
        for (handler, kind), (count, first) in self._found.items():
            yield handler, kind, count, first if len(first) <= LONGEST else f"{first[:LONGEST]}…"

    def lines(self) -> Iterator[str]:
        """One for each handler and type of error."""
        for handler, kind, count, said in self.each():
            times = "once" if count == 1 else f"{count} times with {kind}, first"
            yield f"{handler} failed {times}: {said}"

    def _put(self, key: tuple[str, str], count: int, first: str) -> None:
        before, said = self._found.get(key, (0, first))
        self._found[key] = (before + count, said)
