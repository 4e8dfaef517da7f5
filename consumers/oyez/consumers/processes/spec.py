"""What is kept alive, and where it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..core.apart import ProcessKind


@dataclass(frozen=True)
class Place:
    """Where a worker runs, and ``stopped``, which says whether it is to stop."""

    stopped: Callable[[], bool]
    process: ProcessKind


@dataclass(frozen=True)
class ProcessSpec:
    """A worker that is kept alive, in a process of its own or beside others: its name, its group, and what it does
    until it is told to stop."""

    name: str
    group: str
    work: Callable[[Place], None]


class Watch(Protocol):
    """Is told how a supervisor gets on."""

    def turn(self) -> None:
        """It comes round, several times a second."""

    def stop(self) -> None:
        """It was told to stop."""


class Unwatched:
    """Nobody is told."""

    def turn(self) -> None: ...

    def stop(self) -> None: ...


class Surroundings(Protocol):
    """What is done around each process of workers. Processes have numbers: who comes after one that has died has its
    number, and no two that live have the same."""

    def begin(self, number: int) -> None:
        """In the process, before its workers begin."""

    def ended(self, number: int) -> None:
        """In the supervisor: the process has ended."""


class Bare:
    """Nothing is done."""

    def begin(self, number: int) -> None: ...

    def ended(self, number: int) -> None: ...
