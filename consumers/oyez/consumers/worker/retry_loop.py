"""Trying again: while the database is away, and while a deploy has broken the handlers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from oyez.producers.delays import Delays

from ..database.engine import DatabaseAway
from ..execution.broken_deploy import HandlersBroken
from ..instrumentation import events
from ..instrumentation.emitter import Instrument

P = ParamSpec("P")
T = TypeVar("T")

PASSING = 0.2  # s; what the database needs longer than that is worth a line in the log
AWAY = Delays(0.1, 5.0)  # between attempts to reach the database
BROKEN = Delays(1.0, 60.0)  # between attempts at a batch that everything fails in
NAP = 0.5  # s; how soon a stop is heard


class RetryLoop:
    """Does the same again, later and later, until it succeeds or the worker is stopped."""

    def __init__(
        self, name: str, instrument: Instrument, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._name = name
        self._emit = instrument.emit
        self._sleep = sleep

    def until_back(self, work: Callable[[], T], stopped: Callable[[], bool]) -> T:
        """Do ``work``; while the database is away, again. Raises `DatabaseAway` when stopped."""
        attempts, waited = 0, False
        while True:
            try:
                result = work()
            except DatabaseAway as error:
                if stopped():
                    raise
                attempts += 1
                delay = AWAY.after(attempts)
                if PASSING < delay <= 2 * PASSING:
                    self._emit(events.DatabaseLost(self._name, str(error)))
                    waited = True
                self._wait(delay, stopped)
            else:
                if waited:
                    self._emit(events.DatabaseBack(self._name))
                return result

    def until_repaired(
        self,
        work: Callable[[Callable[[], bool]], T],
        stopped: Callable[[], bool],
        tell: Callable[[HandlersBroken], None],
    ) -> T:
        """Do ``work(stop)``; while the handlers are broken, again. ``tell`` is told each time; raises when stopped.

        Once they are known to be broken a stop cuts nothing any more: what has failed in a part of the batch would be
        too little to tell, and be parked.
        """
        attempts, said = 0, ""
        stop = stopped
        while True:
            try:
                result = work(stop)
            except HandlersBroken as error:
                tell(error)
                stop = _never
                if str(error) != said:
                    said = str(error)
                    self._emit(events.HandlersFoundBroken(self._name, said))
                attempts += 1
                self._wait(BROKEN.after(attempts), stopped)
                if stopped():
                    raise
            else:
                if said:
                    self._emit(events.HandlersRepaired(self._name))
                return result

    def having_failed(
        self,
        error: Exception,
        work: Callable[[Callable[[], bool]], T],
        stopped: Callable[[], bool],
        tell: Callable[[HandlersBroken], None],
    ) -> T:
        """Do ``work(stop)`` again, which has failed with this: while the database is away, or the handlers are
        broken."""
        again = having_failed(error, work)
        return self.until_repaired(lambda stop: self.until_back(lambda: again(stop), stopped), stopped, tell)

    def _wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        while seconds > 0 and not stopped():
            self._sleep(min(seconds, NAP))
            seconds -= NAP


class Once(RetryLoop):
    """Tries once: for whoever is run again anyway, and is not to wait."""

    def until_back(self, work: Callable[[], T], stopped: Callable[[], bool]) -> T:
        """Do ``work``. Raises `DatabaseAway`."""
        return work()

    def until_repaired(
        self,
        work: Callable[[Callable[[], bool]], T],
        stopped: Callable[[], bool],
        tell: Callable[[HandlersBroken], None],
    ) -> T:
        """Do ``work(stopped)``. Raises `HandlersBroken`, after telling."""
        try:
            return work(stopped)
        except HandlersBroken as error:
            tell(error)
            raise


def having_failed(error: Exception, work: Callable[P, T]) -> Callable[P, T]:
    """``work``, whose first attempt was made outside of the loop and has failed: that is what its first call raises."""
    failures = [error]

    def again(*given: P.args, **named: P.kwargs) -> T:
        if failures:
            raise failures.pop()
        return work(*given, **named)

    return again


def _never() -> bool:
    return False
