"""Rows of other applications in the same outbox: a transport that takes its own application's events only leaves them
where they stand, and they hold up nobody.

They are remembered by their numbers, so that no pass reads them again; what is gone is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection

from oyez.producers.loggers import logger_named
from oyez.schemas import Undecodable
from oyez.schemas.modes import structured

from ..database import outbox
from ..database.outbox import Waiting

log = logger_named("oyez.outbox")


class Others:
    """What is left to others, of one outbox. Many threads may use it at once: whoever misses what another one has
    found finds it himself."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        """``is_own`` says whether a signal is the application's."""
        self.rows: frozenset[int] = frozenset()
        self._is_own = is_own
        self._told: set[str] = set()

    def forget_what_is_gone(self, db: Connection) -> None:
        if self.rows:
            self.rows = frozenset(outbox.there_of(db, self.rows))

    def sift(self, rows: Sequence[Waiting]) -> list[Waiting]:
        """Those that are the application's own; the others are remembered, and said once for each signal."""
        own: list[Waiting] = []
        theirs: list[int] = []
        for row in rows:
            signal = _signal(row.value)
            if signal is None or self._is_own(signal):
                own.append(row)
            else:
                theirs.append(row.id)
                self._tell(signal)
        if theirs:
            self.rows |= frozenset(theirs)
        return own

    def _tell(self, signal: str) -> None:
        if signal not in self._told:
            self._told.add(signal)
            log.warning(
                "events of %s stay in the outbox: this application neither handles nor declares it; the one that "
                "announces it has to relay them",
                signal,
            )


class NoOthers(Others):
    """Every row may leave, whosever it is."""

    def __init__(self) -> None:
        super().__init__(lambda _signal: True)

    def sift(self, rows: Sequence[Waiting]) -> list[Waiting]:
        return list(rows)


@runtime_checkable
class LeavesOthers(Protocol):
    """A transport that takes its own application's events only."""

    others: Others


def _signal(value: bytes) -> str | None:
    """None for what cannot be read: the transport says why."""
    try:
        return structured(value).signal
    except Undecodable:
        return None
