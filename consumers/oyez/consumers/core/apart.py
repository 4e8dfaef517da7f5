"""Whether a worker has its process to itself: what may end it would end the others too, and their death proves nothing
of what this one had begun."""

from __future__ import annotations

from typing import Protocol

from oyez.schemas import OyezError


class MovesApart(OyezError):
    """A worker shares its process, and goes on in one of its own; the message says why."""


class ProcessKind(Protocol):
    """The process that a worker runs in."""

    @property
    def is_shared(self) -> bool:
        """Whether there are others, whose events may end it."""

    def require_own(self, why: str) -> None:
        """Something is about to be done that may end it, and that its end is to be laid to. Raises `MovesApart` where
        it is shared."""


class OwnProcess:
    """Nobody else's."""

    is_shared = False

    def require_own(self, why: str) -> None:
        """It is."""


class SharedProcess:
    """Other workers are in it."""

    is_shared = True

    def require_own(self, why: str) -> None:
        raise MovesApart(why)


OWN = OwnProcess()
"""Of whoever has not been put beside others."""
