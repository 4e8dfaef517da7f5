"""One pass over groups, in this process: what is due in the retry tables, then the logs, then what that released."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from oyez.producers.loggers import logger_named

from ..execution.broken_deploy import HandlersBroken
from ..logs.log import LogError
from ..worker.round import POLL
from ..worker.worker import Worker

log = logger_named("oyez.listen")

JOIN = 15.0  # s; how long a log may take to say what there is to read
STALL = 3.0  # s; a log that gives nothing for so long is at its end, whatever its offsets say
UNLIMITED = sys.maxsize

Retry = Callable[[Worker, Callable[[], bool], Callable[[], int]], None]


class GroupPass:
    """One pass of a worker for each group, in this process, that takes ``limit`` events in hand at most. An event
    counts once for each group, and again when what was parked of it is run.

    The workers are to try everything once: see `Once`.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        limit: int,
        stopped: Callable[[], bool] = lambda: False,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._workers = list(workers)
        self._limit = limit
        self._stopped = stopped
        self._timer = timer
        self._sleep = sleep
        self._sound = list(workers)
        self._ends: dict[Worker, float] = {}
        self.broken: dict[str, str] = {}
        """Why a group was left, by its name: nearly everything in it failed alike."""
        self.unsaid: list[str] = []
        """The groups whose logs have not said what they have: what they have left is not known."""

    def run(self) -> None:
        """Do it. Raises `DatabaseAway`; what was committed before that stays."""
        try:
            self._retry(Worker.sweep)
            while self._read() | self._retry(Worker.run_due):
                pass
            for worker in self._sound:
                worker.finish()
        except LogError:
            for worker in self._sound:
                worker.acquit()
            raise
        finally:
            self._tell_faults()
            self._tell_pauses()
        self._look()

    @property
    def handled(self) -> int:
        """Events of which a delivery is done or was given up."""
        return sum(worker.tally.handled for worker in self._workers)

    @property
    def expired(self) -> int:
        """Events that no handler was given, since they had expired."""
        return sum(worker.tally.expired_events for worker in self._workers)

    @property
    def halted(self) -> list[str]:
        """What of the logs cannot be read, with the reason."""
        return [line for worker in self._workers for line in worker.halted]

    def count_left(self) -> int:
        """How many records are left in the logs, those of other signals counted."""
        return sum(worker.count_left() for worker in self._workers)

    @property
    def room(self) -> int:
        """How many events there is room for."""
        taken = sum(worker.tally.events for worker in self._workers)
        return 0 if self._stopped() else self._limit - taken

    def _parts(self, workers: Sequence[Worker]) -> Iterator[tuple[Worker, int]]:
        """Each worker with its part of the room: a group that has much to do does not take it all."""
        for at, worker in enumerate(workers):
            room = self.room
            if room <= 0:
                return
            yield worker, -(-room // (len(workers) - at))

    def _retry(self, first: Retry) -> bool:
        """Run what is due in the retry tables, and what that releases; whether there was any."""
        begun, before, retry = self.room, -1, first
        while 0 < self.room != before:
            before = self.room
            for worker, part in self._parts(list(self._sound)):
                self._try(worker, partial(retry, worker, self._stopped, _until(worker, part)))
            retry = Worker.run_due
        return self.room < begun

    def _read(self) -> bool:
        """Read the logs to their ends, or as far as there is room; whether there was anything of the groups'."""
        begun, busy = self.room, list(self._sound)
        while busy and self.room > 0:
            for worker, part in self._parts(busy):
                if self._try(worker, partial(worker.read, self._stopped, part)):
                    self._ends[worker] = self._timer() + STALL
            busy = sorted(filter(self._is_busy, self._sound), key=_lag, reverse=True)
        for worker in list(self._sound):
            self._try(worker, partial(worker.land, self._stopped))
        return self.room < begun

    def _is_busy(self, worker: Worker) -> bool:
        """Whether there is more to read: somebody waits for a log that does not say."""
        if worker.reading.is_paused or (worker.is_settled() and worker.lag() == 0):
            return False
        if worker.reading.is_under_way:
            self._ends[worker] = self._timer() + STALL  # it may read no more before something has ended
        return self._timer() < self._until(worker)

    def _until(self, worker: Worker) -> float:
        """How long a log may keep this pass waiting."""
        return self._ends.setdefault(worker, self._timer() + JOIN)

    def _look(self) -> None:
        """Learn what the logs have where that is not known yet, so that it can be said how much is left."""
        waiting = self._unsettled()
        end = max(map(self._until, waiting), default=0.0)
        while waiting and self._timer() < end and not self._stopped():
            for worker in waiting:
                worker.look()
            self._sleep(POLL)
            waiting = self._unsettled()
        self.unsaid = [worker.group for worker in waiting]
        for group in [] if self._stopped() else self.unsaid:
            log.warning("%s: the log did not say within %.0f s what there is to read here", group, JOIN)

    def _tell_faults(self) -> None:
        for worker in self._workers:
            for line in worker.tally.faults.lines():
                log.warning("%s: %s", worker.group, line)

    def _tell_pauses(self) -> None:
        """Why there may be something left."""
        for worker in self._workers:
            if said := worker.reading.paused:
                log.warning("%s: paused: %s; oyez pause lists it", worker.group, "; ".join(said))

    def _unsettled(self) -> list[Worker]:
        return [worker for worker in self._sound if not worker.is_settled() or worker.lag() is None]

    def _try(self, worker: Worker, work: Callable[[], int | None]) -> int:
        """A group whose handlers are broken does not hold up the others. Its batch is not committed, and so its worker
        may not write its positions any more."""
        try:
            return work() or 0
        except HandlersBroken as error:
            self.broken[worker.group] = str(error)
            self._sound.remove(worker)
            log.error("%s: %s", worker.group, error)
            worker.acquit()
            return 0


def _lag(worker: Worker) -> int:
    """Those that do not say how much there is come last."""
    lag = worker.lag()
    return -1 if lag is None else lag


def _until(worker: Worker, part: int) -> Callable[[], int]:
    """How much of its part of the room a worker has left."""
    end = worker.tally.events + part
    return lambda: end - worker.tally.events
