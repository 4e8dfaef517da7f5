"""Doing something to many deliveries, which goes on after the page that asked for it: in a thread, at a pace, and so
that every page of every process can see how far it is."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oyez.producers.loggers import logger_named

from ...admin import Pacing, Steps, Tally
from ...core.rate_limit import Pace
from ...database import Database, operations
from ...database.clock import Clock
from ...database.delivery_filter import Filter
from ...handlers.application import Application
from ...run.delivery_actions import Action, Chosen
from ...settings import ListenSettings
from .problems import line_of_any

log = logger_named("oyez.dashboard")

T = TypeVar("T")

AT_ONCE = 2
"""Operations at once in a process."""
EVERY = 0.5
"""Seconds between two notes of how far one is, at least."""


@dataclass(frozen=True)
class Order:
    """What is to be done, to what, by whom. ``name`` is what the action is called, ``words`` say what was chosen,
    ``rate`` how fast, at ``pace``."""

    action: Action
    name: str
    wanted: Filter
    words: str
    who: str
    total: int
    rate: str | None = None
    pace: Pace = field(default_factory=Pace)


class Operating:
    """Begins operations, and ends them when the dashboard is stopped: after the step that they are at."""

    def __init__(
        self, application: Application, settings: ListenSettings, database: Database, clock: Clock
    ) -> None:
        self._application = application
        self._settings = settings
        self._database = database
        self._clock = clock
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._at_exit = threading.Lock()
        self._is_ended_by_host = False

    def ended_by_host(self) -> None:
        """Whoever serves the dashboard says when it ends, by its lifespan."""
        self._is_ended_by_host = True

    def begin(self, order: Order) -> int | None:
        """Begin it; its number. None: enough is under way here. Raises `DatabaseAway`."""
        self._ended_at_exit()
        if not self._free.acquire(blocking=False):
            return None
        try:
            number = self._repeat(
                lambda db, now: operations.begin(
                    db,
                    self._application.name,
                    order.name,
                    order.who,
                    order.words,
                    order.rate,
                    order.total,
                    now,
                )
            )
            thread = threading.Thread(
                target=self._run, args=(order, number), name="oyez-operation", daemon=True
            )
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            thread.start()
        except BaseException:
            self._free.release()
            raise
        return number

    def stop(self, number: int) -> bool:
        """Ask one to end, wherever it runs; False if it has ended."""
        return self._repeat(lambda db, now: operations.stop(db, self._application.name, number, now))

    def end(self, timeout: float = 5.0) -> None:
        """Let all end, and wait for them for so many seconds at most."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(timeout)

    def _ended_at_exit(self) -> None:
        """Where nobody runs the lifespan, as it is with what is mounted, they end when the interpreter does."""
        if not self._is_ended_by_host and self._at_exit.acquire(blocking=False):
            atexit.register(self.end)
            log.warning(
                "the dashboard is mounted where its lifespan does not run: a server that is ended by a signal cuts off "
                "what is under way; enter it with your own, as docs/dashboard.md shows"
            )

    def _run(self, order: Order, number: int) -> None:
        progress = _Progress(self._repeat, number, self._is_over)
        tally, error = Tally(), None
        try:
            tally = self._done(order, progress)
        except Exception as failure:  # noqa: BLE001 # nobody waits for it: its page says it
            error = line_of_any(failure)
        finally:
            self._free.release()
        counts = {said: getattr(tally, name) for name, said in order.action.counts.items()}
        told = counts | {
            "busy": tally.busy,
            "stopped": tally.stopped,
            "more_may_be_released": tally.may_be_more,
        }
        try:
            self._repeat(lambda db, now: operations.end(db, number, progress.settled, told, error, now))
        except Exception as failure:  # noqa: BLE001 # the same
            log.error("what became of the operation %d cannot be stored: %s", number, line_of_any(failure))

    def _done(self, order: Order, progress: _Progress) -> Tally:
        steps = Steps(self._database, Pacing.at(order.pace, progress.is_stopped))
        ids = steps.choose(order.action.table, order.wanted)[: order.total]  # no more than was confirmed
        chosen = Chosen(
            self._application, self._settings, self._database.engine, steps, order.wanted, ids, self._clock
        )
        return order.action.work(chosen, progress.advance)

    def _repeat(self, work: Callable[[Any, float], T]) -> T:
        return self._database.repeat(lambda db: work(db, self._clock(db)))


class _Progress:
    """How far an operation is. It is stored from time to time, and asked then whether it is to go on; also while it
    waits for its pace."""

    def __init__(
        self,
        repeat: Callable[[Callable[[Any, float], bool]], bool],
        number: int,
        is_over: threading.Event,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repeat = repeat
        self._number = number
        self._is_over = is_over
        self._timer = timer
        self._noted_at = float("-inf")
        self._goes_on = True
        self.settled = 0

    def advance(self, count: int) -> None:
        """So many more are settled."""
        self.settled += count

    def is_stopped(self) -> bool:
        """Whether it is to end."""
        if self._timer() - self._noted_at >= EVERY:
            self._goes_on = self._repeat(self._noted)
            self._noted_at = self._timer()
        return self._is_over.is_set() or not self._goes_on

    def _noted(self, db: Any, now: float) -> bool:
        return operations.note(db, self._number, self.settled, now)
