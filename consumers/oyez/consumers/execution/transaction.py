"""Doing something in one transaction, again as often as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError

from ..core.report import Report
from ..database.connection import HandlerConnection
from ..database.engine import ConnectionLost, Database, DatabaseAway
from .memory import Memory
from .runners import HandlerFailed, OneByOne, Runner, Together, more_careful

CONFLICTS_TOGETHER = 5
CONFLICTS_AT_ALL = 100

Work = Callable[[HandlerConnection, Runner], Report]


def perform(database: Database, work: Work, sleep: Callable[[float], None] = time.sleep) -> Report:
    """Run ``work`` in a transaction: together, or one by one when a handler failed; again after a conflict.

    Raises `DatabaseAway` when the connection is lost and there is no other to be had.
    """
    course = Course(database, sleep)
    while True:
        try:
            with database.transaction() as db:
                return work(db, course.runner)
        except HandlerFailed:
            course.fail()
        except ConnectionLost as error:
            course.lose(error)
        except DBAPIError as error:
            course.refuse(error)


def bury(
    database: Database, work: Work, runner: Runner, sleep: Callable[[float], None] = time.sleep
) -> Report:
    """Run ``work`` with this runner, which calls no handler."""
    conflicts = 0
    while True:
        try:
            with database.transaction() as db:
                return work(db, runner)
        except DBAPIError as error:
            conflicts += 1
            if not database.is_conflict(error) or conflicts >= CONFLICTS_AT_ALL:
                raise
        sleep(database.pause())


class Course:
    """How a batch is run, after what has happened to it so far."""

    def __init__(self, database: Database, sleep: Callable[[float], None]) -> None:
        self._database = database
        self._sleep = sleep
        self._memory = Memory()
        self._conflicts = 0
        self._losses = 0
        self.runner: Runner = Together(self._memory)

    def fail(self) -> None:
        """A handler failed."""
        self.runner = OneByOne(self._memory)

    def lose(self, error: ConnectionLost) -> None:
        """The connection was lost. If the database answers, then it was this connection alone, and perhaps a handler
        that broke it."""
        self._losses += 1
        if self._losses >= CONFLICTS_AT_ALL or not self._database.answers():
            raise error
        self._memory.lose()
        self.runner = OneByOne(self._memory)

    def refuse(self, error: DBAPIError) -> None:
        """The database refused the transaction: another one was in the way, or something that it checks at the end."""
        if not self._database.is_conflict(error):
            careful = more_careful(self.runner, self._memory)
            if careful is None:
                raise error
            self.runner = careful
            return
        self._conflicts += 1
        if self._conflicts >= CONFLICTS_AT_ALL:
            cause: Any = error.orig
            raise DatabaseAway(
                f"other transactions were in the way {self._conflicts} times: {cause}"
            ) from error
        if self._conflicts >= CONFLICTS_TOGETHER and self._database.dialect.locks_rows:
            self.runner = OneByOne(self._memory)
        self._sleep(self._database.pause())
