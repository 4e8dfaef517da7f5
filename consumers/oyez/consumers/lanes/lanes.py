"""The lanes of one worker: a dispatcher for each of its handlers that run apart from the batches."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from oyez.schemas import OyezError

from ..core.report import Report
from ..database.engine import DatabaseAway
from ..execution.fresh import Fresh
from ..handlers.registry import Handler
from ..instrumentation.events import LanesSeen
from .dispatcher import Dispatcher, Ended, is_nobodys_fault
from .quiet import Quiet

Stopped = Callable[[], bool]
LOOK = 0.5  # s; how often time limits, and a stop, are looked for
LONGEST = 5.0  # s; how long a dispatcher waits for what may be due
REST = 0.1  # s; how long a worker that rests does not look after its log
QUIET = 30.0  # s; how long quiet is waited for, and then not asked for
IDLE = 0.1  # s; at least, before it is looked again for what is due: somebody else may have it
LAST = 1.0  # s that what is cancelled has to end, at least, where its worker has waited for other things too
PAUSE = 0.01  # s; between two looks at whether all is quiet


class HandlersHang(OyezError):
    """So many calls of a handler do not return that only a new process helps."""


def check_hanging(handler: Handler, hanging: int) -> None:
    """Raises `HandlersHang` if more calls of a handler do not return than it has lanes."""
    if hanging > (handler.concurrency or 0):
        raise HandlersHang(
            f"{handler.name}: {hanging} calls took longer than their timeout and still do not return; "
            f"the worker begins anew. Let what they call have a timeout of its own"
        )


class Trouble(Protocol):
    """Does work again while the database is away: see `RetryLoop`."""

    def until_back(self, work: Callable[[], object], stopped: Stopped) -> object: ...


class WorkerLanes(Protocol):
    """What a worker knows of its lanes."""

    grace_ends: float | None
    """When what runs has had its time to finish, by the timer; None before `stop`."""

    def start(self, stopped: Stopped) -> None:
        """Begin to run what is due, until ``stopped()``."""

    def step(self, most: int) -> bool:
        """Begin what is due, so that ``most`` rows are under way at most, and wait a little for them; False if nothing
        is due or under way. For whoever has not begun with `start`. Raises `DatabaseAway`."""

    def wake(self) -> None:
        """Something may have become due."""

    def offer(self, rows: Sequence[Fresh]) -> None:
        """These rows have just been parked for them, and that is committed."""

    def wants_rest(self) -> bool:
        """Whether the worker is to run nothing for a while."""

    def rest(self) -> None:
        """The worker runs nothing, and will not as long as that is wanted. It waits a little for the end of that."""

    def seen(self, group: str) -> Iterator[LanesSeen]:
        """What each of the handlers does now."""

    def ended(self) -> Iterator[Report]:
        """What was done since this was last asked. Raises what is the worker's to end with."""

    def stop(self) -> None:
        """Begin nothing more. From now on, what runs has as long to finish as is set."""

    def finish(self) -> None:
        """Wait for what runs as long as it has left; then end it, so that it is undone."""

    def close(self) -> None:
        """Let go of everything, whatever has happened."""


def drain(lanes: WorkerLanes, most: Callable[[], int]) -> Iterator[Report]:
    """What is done in lanes until nothing is due, or ``most()`` is 0."""
    more = True
    while more:
        room = most()
        more = room > 0 and lanes.step(room)
        yield from lanes.ended()


def tell(lanes: WorkerLanes, report: Report) -> None:
    """Tell lanes what a transaction has left for them."""
    if report.fresh:
        lanes.offer(report.fresh)
    elif report.queued or report.due_in is not None:
        lanes.wake()
    if report.fresh and report.released:
        lanes.wake()


class Lanes:
    """Dispatchers, a thread each. What becomes of their units is the worker's to count."""

    def __init__(
        self,
        make: Callable[[Callable[[Ended], None]], Sequence[Dispatcher]],
        trouble: Trouble,
        *,
        group: str,
        grace: float,
        timer: Callable[[], float] = time.monotonic,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """``make`` makes the dispatchers, which tell what it is given of each unit that has ended. ``grace``: the
        seconds that what runs has to finish when the worker stops. ``release`` ends what they all run in, when none
        of them needs it any more."""
        self._group = group
        self._grace = grace
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._make = make
        self._release = release
        self._dispatchers: Sequence[Dispatcher] = ()
        self._trouble = trouble
        self._timer = timer
        self.grace_ends: float | None = None
        self._quiet = Quiet()
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def start(self, stopped: Stopped) -> None:
        self._begin()
        self._threads = [
            threading.Thread(
                target=self._serve, args=(one, stopped), name=f"oyez-{one.handler.name}", daemon=True
            )
            for one in self._dispatchers
        ]
        for thread in self._threads:
            thread.start()

    def step(self, most: int) -> bool:
        if self._is_closed:
            return False
        self._begin()
        for one in self._dispatchers:
            _time_out(one)
            most -= one.rows
            most -= one.dispatch(most)
        busy = [one for one in self._dispatchers if one.running]
        if busy:
            busy[0].wait(PAUSE)
            return True
        for one in self._dispatchers:
            one.forget_left()
        suspected = [one for one in self._dispatchers if one.has_suspected and most > 0]
        return any(one.dispatch_suspected() for one in suspected)

    def wake(self) -> None:
        for one in self._dispatchers:
            one.wake()

    def offer(self, rows: Sequence[Fresh]) -> None:
        for one in self._dispatchers:
            own = [row for row in rows if row.delivery.handler.name == one.handler.name]
            if own:
                one.offer(own)

    def wants_rest(self) -> bool:
        return self._quiet.is_wanted

    def rest(self) -> None:
        self._quiet.rest(REST)

    def seen(self, group: str) -> Iterator[LanesSeen]:
        for one in self._dispatchers:
            yield LanesSeen(group, one.handler.name, one.running, one.hanging)

    def ended(self) -> Iterator[Report]:
        for report, error in iter(self._take, None):
            if report is not None:
                # What is due of its own, the handler finds itself.
                yield replace(report, due_in=0.0 if self._group in report.released else None)
            elif error is not None and not is_nobodys_fault(error):
                raise error

    def _take(self) -> Ended | None:
        try:
            return self._ended.get_nowait()
        except queue.Empty:
            return None

    def stop(self) -> None:
        for one in self._dispatchers:
            one.finish()
        self.grace_ends = self._timer() + self._grace
        self.wake()

    def finish(self) -> None:
        until = self.grace_ends or 0.0
        for thread in self._threads:
            thread.join(max(0.0, until + LOOK - self._timer()))
        self._settle(until)
        for one in self._dispatchers:
            one.cancel()
        self._settle(max(until + LONGEST, self._timer() + LAST))

    def close(self) -> None:
        self._is_closed = True
        for one in self._dispatchers:
            one.finish()  # after an error nobody has said so yet, and what was chosen would be begun
        self.wake()
        with ExitStack() as last_first:
            last_first.callback(self._release)
            for one in self._dispatchers:
                last_first.callback(one.close)
            for thread in self._threads:
                thread.join(LONGEST)
        self._dispatchers = ()

    def _begin(self) -> None:
        """Make what is needed, when it is first needed."""
        if not self._dispatchers:
            self._dispatchers = self._make(self._ended.put)

    def _settle(self, until: float) -> None:
        for one in self._dispatchers:
            while one.running and self._timer() < until:
                one.wait(LOOK)

    def _serve(self, one: Dispatcher, stopped: Stopped) -> None:
        try:
            while not stopped() and not self._is_closed:
                self._trouble.until_back(lambda: self._step(one, stopped), stopped)
        except DatabaseAway as away:
            self._ended.put(Ended(error=away))  # and it was told to stop
        except BaseException as error:  # noqa: BLE001 # it ends the worker, which says so
            self._ended.put(Ended(error=error))

    def _step(self, one: Dispatcher, stopped: Stopped) -> None:
        _time_out(one)
        one.refresh()
        if self._quiet.is_wanted:
            one.wait(PAUSE)
            return
        if one.dispatch():
            return
        if one.has_suspected and self._timer() >= one.rests_until and self._quiet.take():
            self._run_suspected(one, stopped)
            return
        allowed = LONGEST if one.again_in is None else max(PAUSE, one.again_in)
        if one.running:
            one.wait(min(LOOK, allowed))
            return
        one.forget_left()
        one.wait(self._pause(one) if one.again_in is None else min(LONGEST, allowed))

    def _pause(self, one: Dispatcher) -> float:
        due = one.choosing.due_in()
        return LONGEST if due is None else min(LONGEST, max(due, IDLE))

    def _run_suspected(self, one: Dispatcher, stopped: Stopped) -> None:
        try:
            one.rests_until = self._timer() + QUIET
            while not self._is_quiet():
                if stopped() or self._timer() >= one.rests_until:
                    one.rests_until += QUIET  # something runs on and on: the others are not to wait for it
                    return
                _time_out(one)
                one.wait(PAUSE)
            one.rests_until = float("-inf")
            one.dispatch_suspected()
            while one.running and not stopped():
                _time_out(one)
                one.wait(PAUSE)
        finally:
            self._quiet.give_back()

    def _is_quiet(self) -> bool:
        return self._quiet.is_worker_at_rest() and not any(one.running for one in self._dispatchers)


def _time_out(one: Dispatcher) -> None:
    """Abandon what has had its time. Raises `HandlersHang` where as many threads hang as there should be lanes."""
    one.time_out()
    check_hanging(one.handler, one.hanging)
