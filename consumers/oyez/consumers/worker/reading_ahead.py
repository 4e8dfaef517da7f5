"""Reading for an at-least-once group whose handlers run in lanes: the log is read on while they work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from ..core.record import Record
from ..core.report import Report
from ..database.engine import DatabaseAway
from ..database.positions import Move, Partition
from ..execution.at_least_once import AtLeastOnceBatch, AtLeastOnceExecution
from ..execution.batch import Batch
from ..execution.broken_deploy import HandlersBroken, refuse_broken
from ..execution.execution import Execution
from ..execution.intake import Kept
from ..instrumentation import events
from ..instrumentation.events import LanesSeen
from ..lanes.in_memory import MemoryLanes
from ..partitions.held import still_held
from .in_step import Stopped
from .round import Reading, Round
from .tried_again import Work, without_lost

WAIT = 0.1  # s; how soon a stop is heard by whoever waits for what is under way
CANCELLED = 5.0  # s that what is cancelled has to end


class ReadingAhead(Reading):
    """Reads on while handlers run. Only what is done, or parked, is passed by what is committed."""

    def __init__(
        self, lanes: MemoryLanes, execution: Execution, *given: Any, grace: float, **named: Any
    ) -> None:
        """``grace``: the seconds that what runs has to finish when the worker stops; the rest as for `Reading`."""
        super().__init__(execution, *given, **named)
        self._in_place = AtLeastOnceExecution(execution, execution.group.concurrent)
        self._lanes = lanes
        self._moved = self._move_frontiers
        self._grace = grace
        self._reports: list[Report] = []
        self._stop_at: float | None = None
        self._terms: dict[Partition, int] = {}

    def round(self, stopped: Stopped, most: int | None = None) -> Round:
        """The same, after what has ended is settled. Of a partition with too much under way nothing is read."""
        self._lanes.go_on()
        self._settle(stopped)
        self._log.hold_back(self._lanes.full())
        found = super().round(stopped, most)
        self._lanes.keep(self._ownership.held)
        return Round(found.records, [*self._told(), *found.reports])

    def follow(self) -> None:
        """The same. What was under way of a partition that was away is not this worker's any more, though it came
        back."""
        super().follow()
        terms = {partition: held.term for partition, held in self._ownership.held.items()}
        self._lanes.keep({p for p, term in terms.items() if self._terms.get(p) == term})
        self._terms = terms

    def reached(self, moves: list[Move]) -> list[Move]:
        """Up to the frontiers."""
        return self._lanes.reached(moves)

    @property
    def is_under_way(self) -> bool:
        return not self._lanes.is_idle

    def land(self, stopped: Stopped) -> Sequence[Report]:
        self._land(stopped)
        return self._told()

    def rest(self, stopped: Stopped, at_rest: Callable[[], None]) -> Sequence[Report]:
        """The same. What ends meanwhile is settled, and what has had its time is given up."""
        self._lanes.hold()
        if self._lanes.running:
            self._lanes.wait(WAIT)
        self._settle(stopped, is_last=not self._lanes.running)
        if not self._lanes.running:  # what fails everywhere is run again, held or not
            at_rest()
        return self._told()

    def seen(self, lanes: Iterable[LanesSeen]) -> Iterable[LanesSeen]:
        """Those in memory as well."""
        for one in lanes:
            pool = self._lanes.pool(one.handler)
            yield replace(one, running=one.running + pool.running, hanging=one.hanging + pool.hanging)

    def stop(self) -> None:
        self._lanes.stop()
        self._stop_at = self._timer() + self._grace

    def finish(self) -> Sequence[Report]:
        self._wait_for_calls(self._stop_at or self._timer())
        self._lanes.cancel()
        self._wait_for_calls(self._timer() + CANCELLED)
        self._settle(_at_once, is_last=True)
        return self._told()

    def leave(self) -> None:
        self._lanes.cancel()
        self._lanes.close()

    def _limit(self) -> int:
        return min(super()._limit(), self._lanes.limit)

    def _run_in_place(self, batch: AtLeastOnceBatch, stopped: Stopped) -> Report:
        """What runs in place, then begin what does not."""
        report = super()._run_in_place(batch, stopped)
        held = self._ownership.held  # something may have been lost while it was settled
        self._lanes.take(without_lost(batch, held), report.ends, held)
        return report

    def _alone_with(self, record: Record, work: Work, batch: Batch, stopped: Stopped) -> Report:
        """The same, with nothing beside it."""

        def alone(some: Batch, stop: Stopped) -> Report:
            report = work(some, stop)
            self._land(stop)
            return report

        self._land(stopped, {move.partition for move in batch.moves})
        return super()._alone_with(record, alone, batch, stopped)

    def _land(self, stopped: Stopped, in_hand: AbstractSet[Partition] = frozenset()) -> None:
        """Wait until nothing is under way. Of what is ``in_hand`` something was polled, and has not begun."""
        self._lanes.go_on()
        while not self._lanes.is_idle and not stopped():
            self._lanes.wait(WAIT)
            self._settle(stopped, in_hand)

    def _wait_for_calls(self, until: float) -> None:
        while self._lanes.running and self._timer() < until:
            self._lanes.wait(WAIT)
            self._drain()
            # It may be killed before the last of them has ended.
            self._move_frontiers(self._ownership.moves())

    def _drain(self) -> None:
        report = self._lanes.drain()
        if report is not None:
            self.stir()
            self._note(report)

    def _settle(
        self, stopped: Stopped, in_hand: AbstractSet[Partition] = frozenset(), *, is_last: bool = False
    ) -> None:
        """Count what is done, park what is not, and commit as far as that goes, but of the partitions ``in_hand``.
        Raises `HandlersBroken` if stopped."""
        self._drain()
        if self._lanes.window.is_ripe(self._timer(), is_idle=is_last or self._lanes.is_idle):
            self._note(self._parked(Parking(self._lanes, self._execution, stopped, self._drain), stopped))
        self._move_frontiers([move for move in self._ownership.moves() if move.partition not in in_hand])

    def _parked(self, parking: Parking, stopped: Stopped) -> Report:
        """Park what has failed, again while that fails: by then something may be paused, or another worker's."""

        def again(stop: Stopped) -> Report:
            self._execution.pauses.look()
            self.follow()
            return parking(stop)

        try:
            return parking(stopped)
        except (DatabaseAway, HandlersBroken) as error:
            return self._retry_loop.having_failed(error, again, stopped, self._ownership.trouble)

    def _move_frontiers(self, moves: list[Move]) -> None:
        if reached := self.reached(still_held(moves, self._ownership.held)):
            self._ownership.moved(reached, self._lanes.doubted(move.partition for move in reached))

    def _note(self, report: Report) -> None:
        self._reports.append(report)
        self._emit(events.RowsRun(self._group.name, report))

    def _told(self) -> list[Report]:
        told, self._reports = self._reports, []
        return told


class Parking:
    """Parks what has failed, to be tried again; where nearly everything fails alike, runs it again instead."""

    def __init__(
        self, lanes: MemoryLanes, execution: Execution, stopped: Stopped, drain: Callable[[], None]
    ) -> None:
        self._lanes = lanes
        self._execution = execution
        self._stopped = stopped
        self._drain = drain
        self._broken: HandlersBroken | None = None

    def __call__(self, _stop: Stopped) -> Report:
        if self._broken is not None:
            self._run_again(self._broken)
        results = self._lanes.window.results()
        try:
            refuse_broken(results)
        except HandlersBroken as broken:
            self._broken = broken
            raise
        self._broken = None
        unfinished = Kept([(d, outcome) for d, outcome in results if not outcome.completes])
        report = Report()
        if unfinished.results:
            report = self._execution.handle_results(AtLeastOnceBatch(self._execution.group), unfinished)
        return self._lanes.settled(report)

    def _run_again(self, broken: HandlersBroken) -> None:
        self._lanes.again(self._execution.pauses.now)
        while not self._lanes.is_idle:
            if self._stopped():
                raise broken
            self._lanes.wait(WAIT)
            self._drain()


def _at_once() -> bool:
    return True
