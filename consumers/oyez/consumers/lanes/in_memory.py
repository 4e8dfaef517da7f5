"""Lanes in memory: those of an at-least-once group, whose handlers have no database parameter.

What is read is begun at once, and the log is read on. What is committed is the frontier of each partition.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Protocol

from ..core.outcomes import DONE, EXPIRED, PAUSED, Outcome
from ..core.report import Report
from ..database.positions import Move, Partition
from ..execution.at_least_once import AtLeastOnceBatch
from ..execution.batch import is_before
from ..execution.cut import Place
from ..execution.delivery import Delivery
from ..execution.pauses import PausedParts
from ..handlers.application import Group
from ..handlers.registry import Handler
from .by_key import Ended, Errand
from .frontier import Flight, Frontier
from .lanes import check_hanging
from .window import Window


class Pool(Protocol):
    """Runs the errands of one handler: see `Tasks` and `Calls`."""

    @property
    def running(self) -> int:
        """How many run. When one is not counted any more, it was told what came of it."""

    @property
    def hanging(self) -> int: ...

    def put(self, errands: Sequence[Errand]) -> None: ...

    def time_out(self) -> None: ...

    def hold(self) -> None: ...

    def go_on(self) -> None: ...

    def stop(self) -> None: ...

    def cancel(self) -> None: ...


MakePool = Callable[[Handler, Ended], Pool]


class MemoryLanes:
    """The lanes of one worker. Its methods are for the worker's thread; handlers run in others."""

    def __init__(
        self,
        group: Group,
        make_pool: MakePool,
        *,
        in_flight: int,
        timer: Callable[[], float] = time.monotonic,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """``in_flight``: events of a partition that may be beyond its frontier; ``release`` is called by `close`."""
        self._group = group
        self._by_signal = {
            signal: tuple(one for one in handlers if one.concurrency is not None)
            for signal, handlers in group.by_signal.items()
        }
        self._pools = {handler: make_pool(handler, self._end) for handler in group.concurrent}
        self._most = in_flight
        self.limit = max(1, in_flight // 4)
        """How many records may be read at once."""
        self._timer = timer
        self.close = release
        self._frontiers: dict[Partition, Frontier] = {}
        self._full: set[Partition] = set()
        self._ended: deque[tuple[Errand, Outcome]] = deque()
        self._changed = threading.Event()
        self._open = 0
        self._is_held = False
        self.window = Window()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return self._open == 0

    @property
    def running(self) -> int:
        """How many calls run."""
        return sum(pool.running for pool in self._pools.values())

    def pool(self, handler: str) -> Pool:
        """Where a handler runs."""
        return self._pools[self._group.by_name[handler]]

    def take(self, batch: AtLeastOnceBatch, ends: Mapping[Place, int], held: Iterable[Partition]) -> None:
        """Begin the events of a batch, of the partitions that are ``held``, before ``ends`` where it was cut."""
        frontiers = {(p.topic, p.number): self._frontiers.setdefault(p, Frontier()) for p in held}
        errands: dict[Handler, list[Errand]] = {handler: [] for handler in self._pools}
        for at, taken in enumerate(batch.decoded.events):
            handlers = self._by_signal[taken.declaration.name]
            record: Any = taken.record
            if not handlers or (ends and not is_before(record, ends)):
                continue
            others = len(handlers) < len(self._group.by_signal[taken.declaration.name])
            flight = Flight(len(handlers), is_counted=others)
            frontier = frontiers.get((record.topic(), record.partition()))
            if frontier is not None and frontier.begin(record.offset(), flight):
                for handler in handlers:
                    errands[handler].append(Errand(Delivery(handler, taken, at), flight))
        for handler, ours in errands.items():
            self._put(handler, self._to_begin(ours, batch))

    def keep(self, held: Collection[Partition]) -> None:
        """Forget what is under way of partitions that are another worker's by now."""
        if self._frontiers.keys() - held:
            for partition in self._frontiers.keys() - held:
                self._frontiers.pop(partition).forget()

    def full(self) -> AbstractSet[Partition]:
        """The partitions of which nothing more is to be read for now."""
        sizes = {partition: len(frontier) for partition, frontier in self._frontiers.items()}
        self._full = {
            partition
            for partition, size in sizes.items()
            if size + self.limit > self._most or (partition in self._full and size > self._most // 2)
        }
        return self._full

    def reached(self, moves: Iterable[Move]) -> list[Move]:
        """These moves, up to the frontiers; those that move nothing are left out."""
        found = []
        for move in moves:
            frontier = self._frontiers.get(move.partition)
            end = move.next if frontier is None else frontier.reached(move.next)
            if end > move.believed:
                found.append(move if end == move.next else move._replace(next=end))
        return found

    def doubted(self, partitions: Iterable[Partition]) -> set[Partition]:
        """Those of which it is not all done that a worker before this one may have had under way: should it have died
        on something of that, this may still be to come."""
        known = self._frontiers
        return {one for one in partitions if one not in known or not known[one].has_passed(self._most)}

    def drain(self) -> Report | None:
        """Note what has ended; None if nothing has. What is not done goes to the window, and its events stay under way.
        Raises `HandlersHang`."""
        for handler, pool in self._pools.items():
            pool.time_out()
            check_hanging(handler, pool.hanging)
        done = handled = ended = 0
        now = self._timer()
        self._changed.clear()
        while self._ended:
            errand, outcome = self._ended.popleft()
            ended += 1
            if errand.flight.is_forgotten:
                continue
            self.window.add(errand, outcome, now)
            if outcome is DONE:
                done += 1
                handled += _close(errand, is_final=True)
        self._open -= ended
        return Report(done=done, handled=handled) if ended else None

    def settled(self, report: Report) -> Report:
        """What is in the window is parked or dead, as ``report`` says: it is not under way any more. Returns the
        report, with events counted once."""
        failed = self.window.failed
        self.window.clear()
        counted = [outcome for errand, outcome in failed if _close(errand, is_final=outcome.is_final)]
        expired = counted.count(EXPIRED)
        return replace(report, events=0, handled=len(counted) - expired, expired_events=expired)

    def again(self, paused: PausedParts | None) -> None:
        """Run what has failed once more. What no handler was given, since it is paused or has expired, is not, nor what
        is ``paused`` by now."""
        self.go_on()  # whoever runs it again waits for it
        errands: dict[Handler, list[Errand]] = {}
        for errand in self.window.take_failed():
            if paused is not None and paused.holds(errand.delivery.handler.name, errand.delivery.taken.key):
                self._spare(errand, PAUSED)
            else:
                errands.setdefault(errand.delivery.handler, []).append(errand)
        for handler, ours in errands.items():
            self._put(handler, ours)

    def wait(self, seconds: float) -> None:
        """Wait until something ends, or so many seconds."""
        self._changed.wait(seconds)

    def hold(self) -> None:
        """Begin nothing until `go_on`; what runs ends as ever."""
        if not self._is_held:
            self._is_held = True
            for pool in self._pools.values():
                pool.hold()

    def go_on(self) -> None:
        """Begin again what was held."""
        if self._is_held:
            self._is_held = False
            for pool in self._pools.values():
                pool.go_on()

    def stop(self) -> None:
        """Begin nothing more."""
        for pool in self._pools.values():
            pool.stop()

    def cancel(self) -> None:
        """End what runs, as far as it can be ended."""
        for pool in self._pools.values():
            pool.cancel()

    def _to_begin(self, errands: Sequence[Errand], batch: AtLeastOnceBatch) -> Sequence[Errand]:
        """Those that may be begun. The others have ended: for good, or, parked, until their pause has."""
        if not batch.expired and batch.paused is None:
            return errands
        free = []
        for errand in errands:
            spared = _spared(errand.delivery, batch)
            if spared is None:
                free.append(errand)
            else:
                self._spare(errand, spared)
        return free

    def _spare(self, errand: Errand, outcome: Outcome) -> None:
        self._open += 1
        self._ended.append((errand, outcome))

    def _put(self, handler: Handler, errands: Sequence[Errand]) -> None:
        if errands:
            self._open += len(errands)
            self._pools[handler].put(errands)

    def _end(self, errand: Errand, outcome: Outcome) -> None:
        self._ended.append((errand, outcome))
        if not self._changed.is_set():
            self._changed.set()


def _spared(delivery: Delivery, batch: AtLeastOnceBatch) -> Outcome | None:
    """Why its handler is not called now."""
    if batch.expired and delivery.at in batch.expired:
        return EXPIRED
    if batch.paused is not None and batch.paused.holds(delivery.handler.name, delivery.taken.key):
        return PAUSED
    return None


def _close(errand: Errand, *, is_final: bool) -> bool:
    """One delivery of an event is not under way any more; whether the event counts as ended by it."""
    flight = errand.flight
    flight.left -= 1
    counts = is_final and not flight.is_counted
    flight.is_counted |= counts
    return counts
