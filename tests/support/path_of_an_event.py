"""Which files of a package one event passes through, in the order of the calls.

A reader who follows an event opens these files, and changes from one to another at each switch. Only calls count (a
generator that goes on is one): a return leads back to a line that is known. What other threads and other packages do
is left out, and so is the test kit: the pipeline of a test has its clock from it, and a worker has the database's.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import FrameType, ModuleType


@dataclass(frozen=True)
class EventPath:
    """The file of each call, in order."""

    calls: tuple[str, ...]

    @property
    def files(self) -> set[str]:
        """The files that it leads through."""
        return set(self.calls)

    @property
    def switches(self) -> int:
        """How often a call is in another file than the call before."""
        return sum(before != after for before, after in pairwise(self.calls))

    def __str__(self) -> str:
        """How often it turns to each file, most often first."""
        turns = Counter(after for before, after in pairwise(("", *self.calls)) if before != after)
        lines = [f"{count:4} {name}" for name, count in sorted(turns.items(), key=lambda it: (-it[1], it[0]))]
        return "\n".join([f"{len(self.files)} files, {self.switches} switches", *lines])


class Tracer:
    """Notes the calls of this thread into a package, from the first call of a function named ``first`` on."""

    def __init__(self, package: ModuleType, first: str) -> None:
        self._root = f"{Path(str(package.__file__)).parent}/"
        self._kit = f"{self._root}testing/"
        self._first = first
        self._calls: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Note the calls of this block."""
        before = sys.getprofile()
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(before)

    def path(self) -> EventPath:
        """The path up to now."""
        return EventPath(tuple(self._calls))

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self._root):
            return
        if code.co_filename.startswith(self._kit):
            return
        if self._calls or code.co_name == self._first:
            self._calls.append(code.co_filename.removeprefix(self._root))
