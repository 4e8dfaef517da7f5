"""A dispatcher: keeps the lanes of one handler busy with what is due of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol

from ..core.report import Report
from ..core.stop_signals import Terminated
from ..database.engine import DatabaseAway
from ..execution.fresh import Fresh
from ..handlers.registry import Handler
from .choosing import Choosing
from .lane import Lane, Ran
from .unit import NO_LIMIT, Busy, Room, Unit, next_size, useful


class Pool(Protocol):
    """Runs lanes beside one another."""

    def submit(self, lane: Lane, unit: Unit) -> None:
        """Run a unit in a lane."""

    def cancel(self, lane: Lane) -> None:
        """End what a lane does, so that it is undone."""

    def close(self) -> None:
        """Nothing more comes."""


REFRESH = 3.0  # s; between two notes that what was chosen is about to be run
FAILING = 0.3  # of the lanes, at most, for what has failed before while others wait
REMEMBERED = 4_096  # rows of units in which a call did not return: any of them may be what it hangs on
SOON = 0.5  # s; what is chosen ahead of a lane is to be begun within a few of those
MakePool = Callable[[Callable[[Lane, Unit], None]], Pool]


class Ended(NamedTuple):
    """What became of a unit: its report, or what kept it from one. Its rows are as they were, then."""

    report: Report | None = None
    error: BaseException | None = None


class Dispatcher:
    """The lanes of one handler. Its methods are for one thread; units end in others."""

    def __init__(
        self,
        handler: Handler,
        choosing: Choosing,
        make_lane: Callable[[], Lane],
        make_pool: MakePool,
        ended: Callable[[Ended], None],
        *,
        lanes: int,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ended`` is told of each unit, in whichever thread it ran; there are so many ``lanes``."""
        self.handler = handler
        self.choosing = choosing
        self.again_in: float | None = None
        """In how many seconds the handler's rate allows more; None if it does."""
        self.has_suspected = False
        """Whether rows are due on which workers have died."""
        self._make_lane = make_lane
        self._lanes = lanes
        self._free = [make_lane() for _ in range(lanes)]
        self._pool = make_pool(self._run)
        self._ended = ended
        self._timer = timer
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._running: dict[Lane, Unit] = {}
        self._hanging: set[Lane] = set()
        self._hung: deque[int] = deque(maxlen=REMEMBERED)
        self._left: list[int] = []
        self._ready: deque[Unit] = deque()
        self._size = 1
        self._seconds = SOON  # of a transaction, about
        self._is_closing = False
        self._writer = make_lane()
        self._unwritten: deque[tuple[Unit, int]] = deque()
        """What took too long, and is still to be written down."""
        self._refreshed = timer()
        self.rests_until = float("-inf")
        """When quiet may be asked for again, by the timer."""
        self._away: DatabaseAway | None = None

    @property
    def running(self) -> int:
        """How many units are under way."""
        return len(self._running)

    @property
    def rows(self) -> int:
        """How many rows are under way, or about to be."""
        return len(self._busy().ids)

    @property
    def hanging(self) -> int:
        """How many threads nobody waits for any more: what they call does not return."""
        return len(self._hanging)

    def dispatch(self, most: int = NO_LIMIT) -> int:
        """Begin as much of what is due as there is room for, ``most`` rows of it; returns how many rows. Raises
        `DatabaseAway`."""
        away, self._away = self._away, None
        if away is not None:
            raise away  # whoever is told waits a while before the next choice
        with self._lock:
            room = min(self._open + self._ahead - len(self._ready), most)
            busy, left = self._busy(), list(self._left)
        if room <= 0 or room * 2 < self._ahead:
            return 0
        chosen = self.choosing.choose(busy, self._room(room, most), left)
        self.has_suspected, self.again_in = chosen.has_suspected, chosen.again_in
        del self._left[: len(left)]
        for unit in chosen.units:
            self._begin(unit)
        return sum(len(unit.ids) for unit in chosen.units)

    def dispatch_suspected(self) -> bool:
        """Begin one row on which workers have died, if there still is one; nothing else is to run beside it. Whether it
        has begun."""
        unit = self.choosing.choose_suspected()
        if unit is not None:
            self._begin(unit)
        return unit is not None

    def forget_left(self) -> None:
        """Forget the notes of units that have ended: the next choice does it too, but may be a while off. Raises
        `DatabaseAway`."""
        left = list(self._left)
        self.choosing.forget(left)
        del self._left[: len(left)]

    @property
    def _open(self) -> int:
        """How many lanes there are for more."""
        left = self._lanes - useful(self._lanes, self._size)
        return max(0, len(self._free) - left)

    @property
    def _ahead(self) -> int:
        """How many units are chosen before there is a lane for them: so many as are begun soon."""
        return len(self._running) if self._seconds < SOON else 0

    def time_out(self) -> None:
        """Abandon the lanes whose handlers have had their time, and write that down. Raises `DatabaseAway`."""
        seconds = self.handler.timeout
        if seconds is None or self.handler.signature.is_async:
            return
        for lane, unit, row in self._late(seconds):
            self._abandon(lane, unit, row)
        while self._unwritten:
            unit, row = self._unwritten[0]
            self._ended(Ended(self._writer.time_out(unit, row, seconds)))
            self._unwritten.popleft()
            self._left.append(unit.number)

    def _abandon(self, lane: Lane, unit: Unit, row: int | None) -> None:
        """Give a lane up, unless it has gone on since it was looked at; another one takes its place."""
        with self._lock:
            if self._running.get(lane) is not unit or lane.row != row or lane.began is None:
                return
            del self._running[lane]
            self.choosing.handed.end(unit.ids, unit.keys, Ran())
            self._hanging.add(lane)
            self._free.append(self._make_lane())
            self._size = 1
            if row is None:
                self._hung.extend(unit.ids)
                self._left.append(unit.number)
            else:
                self._unwritten.append((unit, row))
        lane.abandon()
        self._begin_ready()

    def refresh(self) -> None:
        """Note anew that what was chosen is about to be run: it may have to wait. Raises `DatabaseAway`."""
        now = self._timer()
        if now - self._refreshed >= REFRESH:
            self._refreshed = now
            self.choosing.refresh([unit.number for unit in [*self._running.values(), *self._ready]])

    def finish(self) -> None:
        """Begin nothing more, not of what was chosen either."""
        self._is_closing = True

    def wait(self, seconds: float) -> None:
        """Wait until a unit ends, or something may be due: see `wake`."""
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """Something may have become due."""
        self.choosing.look_next()
        self._woken.set()

    def offer(self, rows: Sequence[Fresh]) -> None:
        """These rows of the handler have just been parked."""
        self.choosing.handed.add(rows)
        self._woken.set()

    def cancel(self) -> None:
        """End all that is under way, so that it is undone."""
        with self._lock:
            self._is_closing = True
            lanes = list(self._running)
        for lane in lanes:
            self._pool.cancel(lane)

    def close(self) -> None:
        """Let go of what was made for the lanes. The notes of what does not run are forgotten if the database is there.
        What still runs hangs, perhaps, and counts as a start that was not finished."""
        self.cancel()
        with suppress(DatabaseAway):
            self.choosing.forget([*self._left, *(unit.number for unit in self._ready)])
        self._pool.close()

    def _late(self, seconds: float) -> list[tuple[Lane, Unit, int | None]]:
        before = self._timer() - seconds
        with self._lock:
            return [
                (lane, unit, lane.row)
                for lane, unit in self._running.items()
                if lane.began is not None and lane.began < before
            ]

    def _begin(self, unit: Unit) -> None:
        self._ready.append(unit)
        self._begin_ready()

    def _begin_ready(self) -> None:
        """Put what is ready into lanes that are free."""
        while True:
            with self._lock:
                if self._is_closing or not self._ready or self._open <= 0:
                    return
                lane, unit = self._free.pop(), self._ready.popleft()
                self._running[lane] = unit
            self._pool.submit(lane, unit)

    def _busy(self) -> Busy:
        return Busy.of([*self._running.values(), *self._ready, *(unit for unit, _ in self._unwritten)])

    def _room(self, units: int, most: int) -> Room:
        per_key = self.handler.limit.per_key
        limit = NO_LIMIT if per_key is None else per_key
        return Room(units, self._size, most, self._room_for_failing(), limit, frozenset(self._hung))

    def _room_for_failing(self) -> int:
        """How many units more may be of what has failed before, as long as others wait: what fails may take long each
        time."""
        share = max(1, int(FAILING * self._lanes))
        return max(0, share - sum(unit.is_failing for unit in [*self._running.values(), *self._ready]))

    def _run(self, lane: Lane, unit: Unit) -> None:
        failed, ran = None, Ran()
        try:
            ran = lane.run(unit, partial(self._done, lane), lambda: self._is_closing, lambda: self._size)
        except BaseException as error:  # noqa: BLE001 # whatever it is, it is the worker's: see `Lanes`
            failed = error
        with self._lock:
            if self._running.get(lane) is unit:
                self.choosing.handed.end(unit.ids, unit.keys, ran)
            if self._running.pop(lane, None) is None:
                self._hanging.discard(lane)  # nobody has waited for it
                return
            self._free.append(lane)
            self._left.append(unit.number)
            self._away = failed if isinstance(failed, DatabaseAway) else self._away
        if failed is not None:
            self._ended(Ended(error=failed))
        self._begin_ready()
        self._woken.set()

    def _done(self, lane: Lane, report: Report) -> None:
        if lane in self._running:  # or it was abandoned
            self._size = next_size(self._size, report.done, report.seconds)
            self._seconds += (report.seconds - self._seconds) / 8
            self._ended(Ended(report))


def is_nobodys_fault(error: BaseException) -> bool:
    """Whether a unit ended only because the database is away, or because it was told to."""
    return isinstance(error, DatabaseAway | Terminated | asyncio.CancelledError)
