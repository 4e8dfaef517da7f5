"""The transport "kafka", buffered, with a spool: events go to librdkafka's queue, and to the spool while the broker is
away."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from confluent_kafka import KafkaException

from ...errors import TransportRefused
from ...forks import call_in_child
from ...loggers import logger_named
from ...pass_thread import PassThread
from ...spool.writer import Writer
from ...transport import Lasting
from ..config import ANYWHERE, HEADERS, NOW, too_large
from ..link import Report, reason_of, watch
from .keeping import force, keep
from .lane import Lane
from .outlet import Failed, Outlet
from .states import State

log = logger_named("oyez.kafka")

_SERVE_EVERY = 100
_FULL = 0.5


class FailoverTransport:
    """Hands events to librdkafka. When one is not delivered, when the queue stays full, or when nothing was
    acknowledged for too long, this process takes back what was not delivered and appends it to the spool, in order, and
    then everything that is announced, until all of that has been acknowledged.

    Announcing takes no lock while all is well.
    """

    def __init__(
        self,
        make_outlet: Callable[[Collection[str]], Outlet],
        spool: Path,
        make_writer: Callable[[Path, str], Writer],
        background: PassThread,
        *,
        limit: int = 1_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``make_outlet`` is given topics whose limits of size are to be asked for, while the broker is known to be
        there. ``background`` ships the spool; ``limit``: bytes of an event; ``clock`` gives seconds."""
        self._limit = limit
        self._make_outlet = make_outlet
        self._spool = spool
        self._make_writer = make_writer
        self._background = background
        self._clock = clock
        self._report: Report = lambda value, reason: None
        self._closed = False
        self._begin()
        call_in_child(self._begin_in_child)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._told = threading.Condition(self._lock)
        self._tellers: list[int] = []  # threads that have yet to tell what could not be spooled
        self._epochs = itertools.count(1)
        self._lanes: dict[str, Lane] = {}
        self._outlet: Outlet | None = None
        self._unserved = 0
        self._ended = threading.Event()

    def report_to(self, report: Report) -> None:
        """Tell `report` the value of each event that neither arrived nor could be spooled, and why."""
        self._report = report

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event. TransportRefused: it is too large; or the broker is away and the spool does not take it."""
        lane = self._lanes.get(topic) or self._open(topic)
        outlet = lane.outlet
        epoch = lane.epoch
        if not epoch:
            self._send_aside(lane, key, value)
            return
        try:  # nothing since the look at the epoch lets another thread run
            outlet.produce(topic, value, key, ANYWHERE, None, None, NOW, HEADERS)
        except BufferError:
            self._send_when_full(lane, epoch, key, value)
            return
        except KafkaException as error:
            self._send_after(lane, error, value)
            return
        outlet.sent += 1
        if lane.epoch != epoch:
            self._leave_behind_nothing(outlet)
        self._unserved -= 1
        if self._unserved < 0:
            self._unserved = _SERVE_EVERY
            outlet.serve(0)
            if outlet.failures:
                self.look()

    def look(self) -> None:
        """Go over to the spool if something is wrong."""
        outlet = self._outlet
        if outlet is None or outlet.wrong() is None:
            return
        with self._lock:
            reason = outlet.wrong()  # another thread may have seen to it
            lost = self._leave(outlet, reason) if reason else []
        self._tell(lost)

    def flush(self, timeout: float) -> None:
        """Wait until all is acknowledged; what is not after `timeout` seconds is spooled, on disk. If another thread
        is about that just then, it is waited for. TransportRefused: it could not be forced to disk."""
        self._empty(timeout)
        force([lane.flush for lane in list(self._lanes.values()) if lane.state is State.SPOOLING])

    def _empty(self, timeout: float) -> None:
        outlet = self._outlet
        if outlet is None:
            return
        if outlet.wait(timeout) or outlet.failures:
            self._go_over(outlet, outlet.wrong() or f"no acknowledgement within {timeout:g} s")
        me = threading.get_ident()
        with self._lock:
            self._told.wait_for(lambda: all(one == me for one in self._tellers), timeout)

    def resume(self) -> None:
        """Begin to ship what is in the spool. Lanes look for that before they produce."""
        self._background.wake()

    def close(self, timeout: float) -> None:
        """flush(), let go of the client, and ship what is in the spool, as far as that goes in the time.
        TransportRefused: something could not be forced to disk."""
        end = self._clock() + timeout
        self._empty(timeout)
        with self._lock:
            self._closed = True
            self._ended.set()
            lost, unforced = self._close_lanes()
        self._tell(lost)
        self._background.finish(max(0.0, end - self._clock()))
        self._outlet = None
        if unforced:
            raise TransportRefused(unforced[0])

    def _open(self, topic: str) -> Lane:
        """The lane of a topic, when its first event comes."""
        with self._lock:
            if self._closed:
                raise TransportRefused("the transport is closed")
            if topic in self._lanes:
                return self._lanes[topic]
            if self._outlet is None:
                outlet = self._make_outlet(())
                watch(self, self._ended)
                self._outlet = outlet
            lane = Lane(topic, self._make_writer(self._spool / topic, topic), self._outlet)
            if lane.has_backlog():
                self._background.wake()
            else:
                lane.to(State.DIRECT, next(self._epochs))
            self._lanes[topic] = lane
            return lane

    def _send_aside(self, lane: Lane, key: bytes | None, value: bytes) -> None:
        """Take an event while its lane is not direct, or not any more."""
        lost: list[Failed] = []
        try:
            with self._lock:
                if lane.state is State.CLOSED:
                    raise TransportRefused("the transport is closed")
                if lane.state is State.SPOOLING:
                    if lane.append(value):
                        self._background.wake()
                        return
                    lost = self._give_up_the_dead()
                    self._return(lane)
        finally:
            self._tell(lost)
        self.send(lane.topic, key, value)

    def _give_up_the_dead(self) -> list[Failed]:
        """No lane stays with a producer that delivers nothing any more, when another takes its place."""
        outlet = self._outlet
        return self._leave(outlet, "its client is dead") if outlet is not None and outlet.is_dead else []

    def _return(self, lane: Lane) -> None:
        """All that is in the spool has been acknowledged."""
        outlet = self._outlet
        if outlet is None or outlet.is_dead or outlet.is_outsized:
            outlet = self._make_outlet(list(self._lanes))
        outlet.resume()
        lane.outlet = self._outlet = outlet
        lane.to(State.DIRECT, next(self._epochs))
        log.info("%s: the broker has all that was spooled; events go to it again", lane.topic)

    def _send_when_full(self, lane: Lane, epoch: int, key: bytes | None, value: bytes) -> None:
        """A burst can fill the queue of a broker that is well: it gets a moment."""
        outlet, end = lane.outlet, self._clock() + _FULL
        while self._clock() < end and lane.epoch == epoch:
            outlet.serve(0.05)
            if lane.epoch != epoch:
                break
            try:
                outlet.produce(lane.topic, value, key, ANYWHERE, None, None, NOW, HEADERS)
            except BufferError:
                continue
            except KafkaException as error:
                self._send_after(lane, error, value)
                return
            outlet.sent += 1
            if lane.epoch != epoch:
                self._leave_behind_nothing(outlet)
            return
        if lane.epoch == epoch:
            self._go_over_with(lane, "its queue is full", value)
        else:
            self._send_aside(lane, key, value)

    def _send_after(self, lane: Lane, error: KafkaException, value: bytes) -> None:
        """librdkafka did not take an event."""
        reason = reason_of(error.args[0])
        if isinstance(reason, Lasting):
            raise TransportRefused(too_large(len(value), self._limit)) from None
        lane.outlet.judge(error.args[0])
        self._go_over_with(lane, lane.outlet.wrong() or reason, value)

    def _go_over_with(self, lane: Lane, reason: str, value: bytes) -> None:
        """Go over to the spool, with an event that could not be produced."""
        with self._lock:
            if lane.state is State.CLOSED:
                raise TransportRefused("the transport is closed")
            lost = self._leave(lane.outlet, reason)
            why = lane.append_all([value])
            self._background.wake()
        self._tell(lost)
        if why is not None:
            raise TransportRefused(why)

    def _leave_behind_nothing(self, outlet: Outlet) -> None:
        """An event was produced while its lane was left: it must not stay in the queue, where later ones of its thread
        would overtake it by way of the spool."""
        with self._lock:
            is_there = len(outlet.producer) or outlet.failures
            lost = self._leave(outlet, "it was left") if is_there else []
        self._tell(lost)

    def _go_over(self, outlet: Outlet, reason: str) -> None:
        with self._lock:
            lost = self._leave(outlet, reason)
        self._tell(lost)

    def _leave(self, outlet: Outlet, reason: str) -> list[Failed]:
        """Stop producing, take back what was not delivered, spool it; then everything goes to the spool. Returns what
        could not be spooled. Under the lock."""
        left = [lane for lane in self._lanes.values() if lane.state is State.DIRECT]
        for lane in left:
            lane.to(State.LEAVING)
        try:
            taken = outlet.empty()
            if self._outlet is not None and self._outlet is not outlet:
                taken += self._outlet.empty()  # a thread came late, with an event for the one before
            lost = keep(taken, self._lanes)
        finally:
            for lane in left:
                lane.to(State.SPOOLING)
                log.warning("%s: the broker is away: %s; events go to %s", lane.topic, reason, self._spool)
        if taken or left:
            self._background.wake()
        if lost:
            self._tellers.append(threading.get_ident())
        return lost

    def _close_lanes(self) -> tuple[list[Failed], list[str]]:
        """What could not be spooled, and why something could not be forced to disk."""
        outlet = self._outlet
        lost = self._leave(outlet, "closed") if outlet is not None and len(outlet.producer) else []
        for lane in self._lanes.values():
            if lane.state is not State.CLOSED:
                lane.to(State.CLOSED)
        return lost, [why for lane in self._lanes.values() if (why := lane.close())]

    def _tell(self, lost: Sequence[Failed]) -> None:
        """Without the lock: whoever is told may announce."""
        for one in lost:
            self._report(one.value, one.reason)
        if lost:
            with self._lock:
                self._tellers.remove(threading.get_ident())
                self._told.notify_all()

    def _begin_in_child(self) -> None:
        """A lane may have a producer that is used no more."""
        for outlet in (self._outlet, *(lane.outlet for lane in self._lanes.values())):
            if outlet is not None:
                outlet.leave_to_parent()
        self._begin()
