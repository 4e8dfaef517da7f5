"""An application to which anything may happen, in lanes or in the retry table, and what must come of it."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from consumers.admin.admin_pipeline import Operator, number_of
from consumers.lanes.lane_pipeline import ANY_NUMBER, LanePipeline
from consumers.pipeline import TOPIC, Opened, Placed, Viewed, known, note
from oyez.consumers import Handlers, NotReady, Reject, RetryAfter
from oyez.consumers.admin import Pausing
from oyez.consumers.core.apart import OWN
from oyez.consumers.database import Database
from oyez.consumers.database.engine import ConnectionLost
from oyez.consumers.lanes.dispatcher import Dispatcher
from oyez.consumers.lanes.event_loop import EventLoop
from oyez.consumers.lanes.lane import Lane
from oyez.consumers.lanes.unit import Busy, Room, Unit
from oyez.consumers.worker.worker import Worker
from oyez.producers import Announcer, MemoryTransport
from oyez.schemas import Signal

HANDLERS: dict[str, type[Signal]] = {"noted": Placed, "loose": Placed, "opened": Opened, "viewed": Viewed}
GROUP = "shop.all"
SUBJECTS = ("s1", "s2")
OLD = 10.0  # s; after which a start note is of a worker that has died
HEARD = 2.0  # s; after which workers that nobody woke have looked
LIMIT = 20.0  # s; what a handler may take
EXPIRES = 30.0  # s
TURNS = 40  # of waiting, after which all that can be done is done
MOST = 200  # rounds of a worker that has something to do; there are far fewer events
MOST_BUSY = 6_000  # the same while something runs; each waits for it a little
OUTCOMES: dict[str, Callable[[Any], BaseException]] = {
    "fails": lambda _event: ValueError("as told"),
    "is not ready": lambda _event: NotReady(),
    "waits": lambda event: NotReady(Opened, event.s) if isinstance(event, Viewed) else NotReady(),
    "asks for later": lambda _event: RetryAfter(50),
    "rejects": lambda _event: Reject("as told"),
}


class World(LanePipeline):
    """Four handlers of one group; what happens to them is told step by step."""

    def __init__(self, url: str, concurrency: int | None) -> None:
        self.told: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        """How the next calls of a handler end for events of a key."""
        self.concurrency = concurrency
        self.events: list[tuple[Signal, float | None]] = []
        """By their numbers, with when they expire."""
        self.first = 0
        """The number of the first event since all was done that came before."""
        self.ids: list[str] = []
        """Of the events, by their numbers."""
        self.died: set[tuple[str, int]] = set()
        """What was a dead letter at some time."""
        self.paused: list[tuple[str | None, str | None]] = []
        self._given_up: dict[int, Lane] = {}
        super().__init__(url, self._handlers(), max_attempts=1000, max_age=1e9)
        self.announcer.close()
        self.announcer = Announcer(
            MemoryTransport(self.broker),
            source="web",
            topic=TOPIC,
            catalogue=known,
            clock=lambda: round(self.clock.now * 1e9),
        )
        self.operator = Operator(self)
        self.pausing = Pausing(self.application, Database(self.engine), self.clock, 1e9)
        self._doomed: dict[str, Dispatcher] = {}

    def announce_one(self, signal: type[Any], key: str, subject: str, expires: bool) -> None:
        """One more event; each has a number of its own."""
        n = len(self.events)
        subject = f"{subject} from {self.first}"
        event = signal(k=key, n=n) if signal is Placed else signal(k=key, n=n, s=subject)
        self.events.append((event, self.clock.now + EXPIRES if expires else None))
        self.ids.append(
            self.announcer.announce(event, expires=timedelta(seconds=EXPIRES) if expires else None)
        )

    def announce_several(self, signal: type[Any], key: str, subject: str, expires: bool, count: int) -> None:
        """So many, which are read at once."""
        for _ in range(count):
            self.announce_one(signal, key, subject, expires)
        self.read()

    def tell(self, handler: str, key: str, outcome: str, times: int) -> None:
        """The next so many calls end like that."""
        self.told[handler, key] += [outcome] * times

    def read(self) -> None:
        """All that has been announced is taken: what runs in lanes is parked, and waits for them."""
        self.clock.now += 0.1
        for worker in self.workers.values():
            _until_done(worker.step)

    def run(self) -> None:
        """Every worker works until nothing is left to read, and nothing is due."""
        for _ in range(2):
            self.read()
            for worker in self.workers.values():
                worker.run_due(lambda: False, _AnyNumber(worker))

    def sweep(self) -> None:
        """Time passes in which every worker that lives shows that it does; what others have left is counted."""
        self.clock.now += OLD
        for worker in self.workers.values():
            worker.sweep(lambda: False, lambda: 0)

    def die(self, handler: str, times: int, size: int, part: int) -> None:
        """So many workers, soon after one another, die on what they have chosen of a handler, ``part`` transactions in;
        then that is counted."""
        for _ in range(times):
            if self.concurrency is None:
                self._die_retrying(self.workers[GROUP])
            else:
                self._die_in_lanes(self._dispatcher(handler), Room(2, size), part)
        self.sweep()

    def time_out(self, handler: str) -> None:
        """A lane calls a handler that takes too long, and is given up; another one writes that down."""
        if self.concurrency is None:
            return
        one = self._dispatcher(handler)
        for unit in self._chosen(one, Room(1, 1)):
            lane, me = one._make_lane(), threading.get_ident()
            self._given_up[me] = lane
            with suppress(ConnectionLost):
                lane.run(unit, lambda _report: None, lambda: False, lambda: 1)
            if self._given_up.pop(me, None) is None:
                one._make_lane().time_out(unit, unit.ids[0], LIMIT)
            one.choosing.forget([unit.number])

    def pause(self, name: str | None, key: str | None) -> None:
        """As an operator does it; workers have heard of it when this returns."""
        self.pausing.pause(self.pausing.scope(name, key), "me@here", None)
        self.paused.append((name, key))
        self.clock.now += HEARD

    def resume(self, name: str | None, key: str | None) -> None:
        """The same, of whatever is paused of that name."""
        self.pausing.resume(self.pausing.scope(name, key))
        self.clock.now += HEARD

    def retry_dead(self) -> None:
        self.died |= {(handler, number_of(value)) for handler, value in self.rows("dead", "handler", "value")}
        self.operator.retry()

    def settle(self) -> None:
        """All is resumed, and whatever is called does what it should."""
        self.told.clear()
        for scope in self.paused:
            self.resume(*scope)
        self.paused.clear()
        for subject in SUBJECTS:
            self.announce_one(Opened, "last", subject, expires=False)
        for _ in range(TURNS):
            self.run()
            self.sweep()
            if not any(self.rows(name) for name in ("parked", "dead", "start")):
                return
            self.retry_dead()
            self.clock.now += 700.0

    def go_on(self) -> None:
        """All was done, and something else may happen: new events, with new subjects."""
        self.first = len(self.events)
        self.died.clear()

    def check(self) -> None:
        """Everything was done once, in the order of its key, or has expired; nothing is left of it."""
        assert {name: self.rows(name) for name in ("parked", "dead", "start")} == {
            "parked": [],
            "dead": [],
            "start": [],
        }
        for handler, signal in HANDLERS.items():
            done = [n for n in self.effects(handler) if n >= self.first]
            assert len(done) == len(set(done)), f"{handler}: doubled in {done}"
            expired = self._expired(handler)
            for n, (event, _) in list(enumerate(self.events))[self.first :]:
                is_theirs = type(event) is signal
                assert (n in done) + (n in expired) == is_theirs, f"{handler}: {n} is lost; done: {done}"
            if handler != "loose":
                self._check_order(handler, done)

    def _expired(self, handler: str) -> set[int]:
        """The numbers of the events whose deliveries to the handler have expired, as the journal has them."""
        numbers = {event_id: n for n, event_id in enumerate(self.ids)}
        rows = self.rows("journal", "handler", "outcome", "event_id")
        return {
            numbers[event_id] for name, outcome, event_id in rows if (name, outcome) == (handler, "expired")
        }

    def close(self) -> None:
        for one in self._doomed.values():
            one.close()
        super().close()

    def _check_order(self, handler: str, done: list[int]) -> None:
        by_key: defaultdict[str, list[int]] = defaultdict(list)
        for n in done:
            if (handler, n) not in self.died:
                by_key[getattr(self.events[n][0], "k")].append(n)  # noqa: B009 # each of these signals has one
        for key, numbers in by_key.items():
            assert numbers == sorted(numbers), f"{handler}: {key} out of order: {numbers}"

    def _chosen(self, one: Dispatcher, room: Room) -> Sequence[Unit]:
        """What a dispatcher with nothing under way would run now."""
        one.choosing.look_next()
        chosen = one.choosing.choose(Busy(), room)
        if chosen.units or not chosen.has_suspected:
            return chosen.units
        unit = one.choosing.choose_suspected()
        return [] if unit is None else [unit]

    def _die_in_lanes(self, one: Dispatcher, room: Room, part: int) -> None:
        for unit in self._chosen(one, room):
            one._make_lane().run(unit, lambda _report: None, _is_over_after(part), lambda: 1)

    def _die_retrying(self, worker: Worker) -> None:
        retrying = worker._retrying
        retrying._execution.database.repeat(partial(retrying._start, limit=retrying._batch))
        worker._wakeups.close()
        self.replace(worker.group)

    def _dispatcher(self, handler: str) -> Dispatcher:
        """One of a worker that does nothing but what it is told."""
        if not self._doomed:
            lanes: Any = self.lanes_of(self.application.groups[GROUP], OWN, EventLoop(GROUP))
            lanes._begin()
            self._doomed = {one.handler.name: one for one in lanes._dispatchers}
        return self._doomed[handler]

    def _handlers(self) -> Handlers:
        on = Handlers("shop")
        for name, signal in HANDLERS.items():
            self._register(on, name, signal)
        return on

    def _register(self, on: Handlers, name: str, signal: type[Signal]) -> None:
        def handle(event: Any, db: Session) -> None:
            note(db, name, event.n)
            lane = self._given_up.pop(threading.get_ident(), None)
            if lane is not None:
                lane._is_abandoned = True  # and its connection cannot be ended: see `LaneDatabase`
            elif self.told[name, event.k]:
                raise OUTCOMES[self.told[name, event.k].pop(0)](event)

        handle.__annotations__["event"] = signal
        options: dict[str, Any] = {"order": "none"} if name == "loose" else {}
        on(signal, name=name, group="all", concurrency=self.concurrency, **options)(handle)


def _until_done(step: Callable[[], int]) -> None:
    """Until twice nothing was found: in its first round, a worker takes its partitions."""
    rests = 0
    for _ in range(MOST):
        rests = 0 if step() else rests + 1
        if rests == 2:
            return
    raise AssertionError("a worker reads and reads")


def _is_over_after(part: int) -> Callable[[], bool]:
    left = itertools.count(part, -1)
    return lambda: next(left) <= 0


class _AnyNumber:
    """How many rows a worker may run: any number, but not for ever."""

    def __init__(self, worker: Worker) -> None:
        self._dispatchers: Sequence[Dispatcher] = getattr(worker._lanes, "_dispatchers", ())
        self._calls = {True: MOST_BUSY, False: MOST}

    def __call__(self) -> int:
        is_busy = any(one.running for one in self._dispatchers)
        self._calls[is_busy] -= 1
        assert self._calls[is_busy], "there is no end to what is due"
        return ANY_NUMBER
