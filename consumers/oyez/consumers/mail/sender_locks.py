"""Whose turn it is to send, and how it is known that a sender has died.

PostgreSQL: any number of senders. Each holds the row that it sends locked, in a transaction; a row that is marked as
being sent and not locked is one of a sender that died. SQLite has no locks of rows, and its one write lock must not be
held while a server is talked to: whoever sends has a lock on a file beside the database's, which ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from ..database import mails
from ..database.engine import Database, DatabaseAway
from ..database.mails import Change, Letter

UNDER_WAY = 5.0
"""Seconds within which a sender that has marked a mail has it locked."""
PAUSE = 0.05  # s; between two looks at whether the turn is over

Deliver = Callable[[Letter], Change]
Settle = Callable[[Connection, Letter, Change, bool], Letter | None]
"""Writes down what became of a mail; where the last says so, it may mark the next one too."""


class Turn(Protocol):
    """The right to send."""

    def begin(self) -> bool:
        """Take it; False if another has it."""

    def end(self) -> None:
        """Give it back."""

    def abandoned_before(self, now: float) -> float:
        """Marks made before this moment that nobody holds are those of senders that died."""

    def send(self, letter: Letter, claim: str, deliver: Deliver, settle: Settle) -> Letter | None:
        """Hold a mail that is marked with this claim, deliver it, and settle it; the next one, if it was marked too. If
        the mark is gone, nothing is delivered."""


class RowTurn:
    """For databases that lock rows, such as PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self) -> bool:
        return True

    def end(self) -> None:
        """There is nothing to give back."""

    def abandoned_before(self, now: float) -> float:
        return now - UNDER_WAY

    def send(self, letter: Letter, claim: str, deliver: Deliver, settle: Settle) -> Letter | None:
        said: list[Change] = []

        def attempt(db: Connection) -> Letter | None:
            if said:
                return settle(db, letter, said[0], False)
            if not mails.hold(db, letter.id, claim):
                return None
            said.append(deliver(letter))
            return settle(db, letter, said[0], True)

        try:
            return self._database.repeat(attempt)
        except DatabaseAway:
            if not said:
                raise
        # What was said is known, and only the connection that would have told it is gone.
        return self._database.repeat(attempt)


class FileTurn:
    """For the others, such as SQLite: one sender at a time, on one host as SQLite itself.

    ``path`` is None for a database in memory.
    """

    def __init__(self, database: Database, path: Path | None) -> None:
        self._database = database
        self._path = path
        self._file: int | None = None

    def begin(self) -> bool:
        if self._path is None:
            return True
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.end()
            return False
        return True

    def end(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def abandoned_before(self, now: float) -> float:
        return float("inf")

    def send(self, letter: Letter, claim: str, deliver: Deliver, settle: Settle) -> Letter | None:
        change = deliver(letter)
        return self._database.repeat(lambda db: settle(db, letter, change, True))


def turn_of(database: Database) -> Turn:
    """What the database needs."""
    if database.dialect.locks_rows:
        return RowTurn(database)
    with database.reading() as db:
        file = database.dialect.file(db)
    return FileTurn(database, file and file.with_name(f"{file.name}-mail"))


def begun(
    turn: Turn,
    stopped: Callable[[], bool],
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait for the turn, for so many seconds; whether it has begun."""
    until = timer() + timeout
    while not turn.begin():
        if stopped() or timer() >= until:
            return False
        sleep(PAUSE)
    return True
