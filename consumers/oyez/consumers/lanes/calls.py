"""Where handlers that are a plain ``def`` run in memory: in threads, so many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..core.outcomes import DONE, UNRUN, Outcome, TimedOut
from ..execution.attempt import outcome_of
from ..execution.delivery import Delivery, payloads
from ..handlers.registry import Handler
from .by_key import ByKey, Ended, Errand


class Call(NamedTuple):
    """One that is under way, since when by the timer."""

    errand: Errand
    began: float


class Calls:
    """Those of one handler. The threads end with the process, whatever they do then."""

    def __init__(self, handler: Handler, ended: Ended, most: int, timer: Callable[[], float]) -> None:
        """So many at once, at ``most``."""
        self._handler = handler
        self._ended = ended
        self._most = most
        self._timer = timer
        self._change = threading.Condition()
        self._queue = ByKey(lambda errand: ended(errand, UNRUN))
        self._calls: dict[threading.Thread, Call] = {}
        self._threads = 0
        self._idle = 0
        """How many threads wait, and were not woken: one that was is counted on, before it has looked."""
        self._is_stopped = False
        self.hanging = 0
        """How many calls nobody waits for any more, which do not return."""

    @property
    def running(self) -> int:
        """How many run, without those that nobody waits for."""
        return len(self._calls)

    def put(self, errands: Sequence[Errand]) -> None:
        """Run these, in this order for each key, when there is room."""
        with self._change:
            self._queue.put(errands)
            woken = min(len(errands), self._idle)
            self._idle -= woken
            self._change.notify(woken)
            for _ in range(min(self._most - self._threads, len(errands) - woken)):
                self._begin_thread()

    def time_out(self) -> None:
        """Wait no more for calls that have had their time."""
        seconds = self._handler.timeout
        if seconds is None:
            return
        before = self._timer() - seconds
        with self._change:
            late = [thread for thread, call in self._calls.items() if call.began < before]
            errands = [self._calls.pop(thread).errand for thread in late]
            for errand in errands:
                self.hanging += 1
                self._queue.end(errand)
                self._threads -= 1
                self._begin_thread()
        for errand in errands:
            self._ended(errand, outcome_of(TimedOut(seconds)))

    def hold(self) -> None:
        """Begin nothing until `go_on`."""
        with self._change:
            self._queue.hold()

    def go_on(self) -> None:
        """Begin again what waits."""
        with self._change:
            self._queue.go_on()
            self._idle = 0
            self._change.notify_all()

    def stop(self) -> None:
        """Begin nothing more."""
        with self._change:
            self._is_stopped = True
            self._queue.clear()
            self._idle = 0
            self._change.notify_all()

    def cancel(self) -> None:
        """Nobody can end a thread: nothing is said of what it does."""
        self.stop()

    def _begin_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._serve, name=f"oyez-{self._handler.name}", daemon=True).start()

    def _serve(self) -> None:
        me = threading.current_thread()
        while (errand := self._next(me)) is not None:
            outcome = self._outcome(errand.delivery)
            with self._change:
                if me not in self._calls:
                    self.hanging -= 1
                    return
                self._ended(errand, outcome)  # before it counts as not running: see `Pool`
                del self._calls[me]
                self._queue.end(errand)

    def _next(self, me: threading.Thread) -> Errand | None:
        with self._change:
            while (errand := self._queue.take()) is None:
                if self._is_stopped:
                    return None
                self._idle += 1
                self._change.wait()
            self._calls[me] = Call(errand, self._timer())
            return errand

    def _outcome(self, delivery: Delivery) -> Outcome:
        try:
            self._handler.call(payloads([delivery]), None)
        except BaseException as error:  # noqa: BLE001 # see `attempt`; no signal interrupts a thread
            return outcome_of(error)
        return DONE
