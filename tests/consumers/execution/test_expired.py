"""What has expired is not run: it ends, nobody waits behind it, and what waits for it is not released by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from consumers.admin.admin_pipeline import Operator
from consumers.pipeline import TOPIC, Opened, Pipeline, Placed, Play, Viewed, empty, known, note
from oyez.consumers import Handlers, RetryAfter
from oyez.consumers.core.report import Report
from oyez.consumers.worker.totals import Tally
from oyez.producers import Announcer, MemoryTransport
from oyez.schemas import Event, Signal


def counting(*signals: type[Signal], later: Sequence[int] = ()) -> Handlers:
    """Handlers that leave each number; those in ``later`` they ask for again in so many seconds, at every attempt."""
    on = Handlers("shop")

    def make(signal: type[Signal]) -> None:
        @on(signal, name=signal.__name__.lower())
        def noted(event: Placed | Opened | Viewed, db: Session) -> None:
            if event.n in later:
                raise RetryAfter(100)
            note(db, "noted", event.n)

    for signal in signals:
        make(signal)
    return on


def announcer(pipeline: Pipeline) -> Announcer:
    """One whose clock is the database's."""
    transport = MemoryTransport(pipeline.broker)
    clock: Callable[[], int] = lambda: round(pipeline.clock.now * 1e9)  # noqa: E731 # it is passed on
    return Announcer(transport, source="web", topic=TOPIC, catalogue=known, clock=clock)


def tally(pipeline: Pipeline) -> Tally:
    total = Tally()
    for worker in pipeline.workers.values():
        total.merge(worker.tally)
    return total


def in_seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_what_has_expired_when_it_arrives_is_not_run(play: Play) -> None:
    pipeline = play(counting(Placed))
    web = announcer(pipeline)
    web.announce(Placed(n=1), expires=in_seconds(5))
    web.announce(Placed(n=2), expires=in_seconds(60))
    web.announce(Placed(n=3))
    pipeline.clock.now += 5
    pipeline.run()  # 0.1 s pass
    assert (pipeline.effects(), pipeline.is_clean()) == ([2, 3], True)
    found = tally(pipeline)
    assert (found.done, found.expired, found.events) == (2, 1, 3)
    assert (found.handled, found.expired_events) == (2, 1)


def test_an_event_is_counted_once_whatever_becomes_of_it(play: Play) -> None:
    """Of its two handlers neither is given it; of another's, one has run before that expired."""
    on = counting(Placed)

    @on(Placed, name="asks", order="none")
    def asks(event: Placed) -> None:
        if event.n == 2:
            raise RetryAfter(100)

    pipeline = play(on)
    web = announcer(pipeline)
    web.announce(Placed(n=1), expires=in_seconds(5))
    pipeline.clock.now += 5
    web.announce(Placed(n=2), expires=in_seconds(50))
    pipeline.run()
    found = tally(pipeline)
    assert (found.expired, found.expired_events, found.handled) == (2, 1, 1)
    pipeline.later(100)
    found = tally(pipeline)
    assert (found.expired, found.expired_events, found.handled) == (3, 2, 1)


def test_it_is_not_run_when_it_comes_again(play: Play) -> None:
    """Its id is in the inbox: also with a later moment it is a duplicate."""
    pipeline = play(counting(Placed))
    web = announcer(pipeline)
    web._new_id = lambda: "the-same"
    web.announce(Placed(n=1), expires=in_seconds(1))
    pipeline.later(5)
    web.announce(Placed(n=1))
    pipeline.run()
    assert (pipeline.effects(), tally(pipeline).expired) == ([], 1)


def test_a_retry_after_that_ends_it_and_what_is_behind_goes_on(play: Play) -> None:
    pipeline = play(counting(Placed, later=[1]))
    web = announcer(pipeline)
    web.announce(Placed(n=1), expires=in_seconds(5))
    web.announce(Placed(n=2))
    pipeline.run()
    assert (pipeline.effects(), len(pipeline.parked())) == ([], 2)
    pipeline.later()
    assert (pipeline.effects(), pipeline.is_clean(), tally(pipeline).expired) == ([2], True, 1)


def test_what_waits_for_it_is_not_released_and_dies_of_age(play: Play) -> None:
    pipeline = play(counting(Opened, Viewed), max_age=500)
    web = announcer(pipeline)
    web.announce(Viewed(n=1))
    web.announce(Opened(n=2), expires=in_seconds(1))
    pipeline.clock.now += 1
    pipeline.run()
    assert (pipeline.effects(), pipeline.parked()) == ([], [("viewed", 1, "")])
    pipeline.later(501)
    ((handler, n, reason),) = pipeline.dead()
    assert (handler, n, reason.partition(":")[0]) == ("viewed", 1, "never met")


def test_what_waits_and_expires_is_not_run_when_it_is_released(play: Play) -> None:
    pipeline = play(counting(Opened, Viewed))
    web = announcer(pipeline)
    web.announce(Viewed(n=1), expires=in_seconds(5))
    pipeline.run()
    pipeline.clock.now += 5
    web.announce(Opened(n=2))
    pipeline.run()
    assert (pipeline.effects(), pipeline.is_clean(), tally(pipeline).expired) == ([2], True, 1)


def test_whoever_forces_it_is_told_that_it_has_expired(play: Play) -> None:
    pipeline = play(counting(Opened, Viewed))
    announcer(pipeline).announce(Viewed(n=1), expires=in_seconds(5))
    pipeline.run()
    pipeline.clock.now += 5
    forced = Operator(pipeline).force()
    assert (forced.chosen, forced.expired, forced.done, pipeline.effects()) == (1, 1, 0, [])


def test_what_has_expired_is_counted_as_something_that_became_of_a_delivery() -> None:
    assert Tally().add(Report(done=1, dead=1, expired=2)) == 4


def test_a_group_without_an_inbox_does_not_run_it_either(play: Play) -> None:
    on, seen = Handlers("shop", promises={"placed": "at-least-once"}), list[int]()

    @on(Placed, order="none")
    def noted(event: Placed) -> None:
        seen.append(event.n)

    pipeline = play(on)
    web = announcer(pipeline)
    for n, seconds in enumerate((1, 60, 1)):
        web.announce(Placed(n=n), expires=in_seconds(seconds))
    pipeline.later(5)
    assert (seen, tally(pipeline).expired, pipeline.is_clean()) == ([1], 2, True)
    assert pipeline.rows("journal", "handler", "outcome") == [("noted", "expired")] * 2


def test_a_handler_sees_when_an_event_expires(play: Play) -> None:
    on, seen = Handlers("shop"), list[datetime | None]()

    @on(Placed)
    def noted(event: Event[Placed]) -> None:
        seen.append(event.expires)

    pipeline = play(on)
    web = announcer(pipeline)
    web.announce(Placed(n=1), expires=datetime.fromtimestamp(1_000_060, UTC))
    web.announce(Placed(n=2))
    pipeline.run()
    assert seen == [datetime.fromtimestamp(1_000_060, UTC), None]


@pytest.mark.parametrize("said", [b"5", b"null", b'"tomorrow"', b'"2020-01-01T00:00:00"'])
def test_what_another_producer_says_that_is_no_moment_is_a_hint_at_nothing(play: Play, said: bytes) -> None:
    pipeline = play(counting(Placed))
    value = (
        b'{"specversion":"1.0","type":"placed","source":"x","id":"1","partitionkey":"k","expirytime":'
        + said
        + b',"data":{"n":7}}'
    )
    MemoryTransport(pipeline.broker).send(TOPIC, b"k", value)
    pipeline.run()
    assert pipeline.effects() == [7]


EVENT = st.tuples(st.sampled_from("ab"), st.one_of(st.none(), st.integers(1, 40)), st.integers(0, 30))
STEP = st.one_of(EVENT, st.integers(0, 30))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, max_size=10))
def test_whatever_expires_when_nothing_late_is_run_and_the_rest_once_in_order(
    pipeline_database: str, steps: list[tuple[str, int | None, int] | int]
) -> None:
    """Each run says when: none is at or after its event's moment. What has not run had one, and has expired. An event
    has a key, seconds until it expires, and seconds in which its handler cannot handle it yet."""
    empty(pipeline_database)
    until, ready, keys = dict[int, float](), dict[int, float](), dict[int, str]()
    late, on = list[int](), Handlers("shop")

    @on(Placed)
    def noted(event: Placed, db: Session) -> None:
        now = pipeline.clock.now
        if now >= until.get(event.n, inf):
            late.append(event.n)
        if now < ready[event.n]:
            raise RetryAfter(ready[event.n] - now)
        note(db, "noted", event.n)

    pipeline = Pipeline(pipeline_database, on)
    with closing(pipeline), announcer(pipeline) as web:
        for n, step in enumerate(steps):
            if isinstance(step, int):
                pipeline.later(step)
                continue
            keys[n], seconds, wait = step
            ready[n] = pipeline.clock.now + wait
            if seconds is not None:
                until[n] = pipeline.clock.now + seconds
            web.announce(Placed(k=keys[n], n=n), expires=None if seconds is None else in_seconds(seconds))
        pipeline.later()
        effects = pipeline.effects()
        assert (late, pipeline.is_clean()) == ([], True)
        assert len(effects) + tally(pipeline).expired == len(keys)
        assert len(set(effects)) == len(effects)
        assert keys.keys() - until.keys() <= set(effects)
        for key in "ab":
            ours = [one for one in effects if keys[one] == key]
            assert ours == sorted(ours)
