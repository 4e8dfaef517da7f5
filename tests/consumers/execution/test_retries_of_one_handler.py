"""A handler that says how it is to be tried again: for all its events by ``retry=``, for one by `RetryAfter`."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, Play, Viewed, note, one_line, placed
from oyez.consumers import Backoff, HandlerMisuse, Handlers, RegistrationError, RetryAfter
from oyez.consumers.core.backoff import RetryPolicy


def failing(retry: Backoff | None, error: Exception, with_database: bool = True) -> Handlers:
    """An application with one handler that is told how it fails, and one that is as the settings say."""
    on = Handlers("shop")

    def inside(event: Placed, db: Session) -> None:
        raise error

    def outside(event: Placed) -> None:
        raise error

    on(Placed, name="own", group="all", retry=retry)(inside if with_database else outside)
    on(Placed, name="usual", group="all")(inside)
    return on


def test_attempts_and_pauses_are_the_handlers_own(play: Play) -> None:
    pipeline = play(failing(Backoff(first=100.0, longest=150.0, attempts=3), ValueError("no")))
    began = pipeline.clock.now  # it fails between then and the end of `handle`
    pipeline.handle(Placed(n=7))
    at = dict(pipeline.rows("parked", "handler", "due_at"))
    assert began + 80.0 <= at["own"] <= pipeline.clock.now + 120.0
    assert at["usual"] <= pipeline.clock.now + 1.2
    began = pipeline.clock.now + 1_000.0
    pipeline.later(1_000.0)
    at = dict(pipeline.rows("parked", "handler", "due_at"))
    assert began + 120.0 <= at["own"] <= pipeline.clock.now + 180.0, (
        "150 s at the longest, give or take a fifth"
    )
    pipeline.later()
    assert pipeline.dead() == [("own", 7, "failed 3 times")]
    assert [handler for handler, _, _ in pipeline.parked()] == ["usual"]


def test_the_age_is_the_handlers_own(play: Play) -> None:
    pipeline = play(failing(Backoff(max_age=60.0), ValueError("no")))
    pipeline.handle(Placed(n=7))
    pipeline.later(100.0)
    assert [(handler, n) for handler, n, _ in pipeline.dead()] == [("own", 7)]
    assert [handler for handler, _, _ in pipeline.parked()] == ["usual"]


def test_what_waits_is_given_up_after_the_handlers_own_time(play: Play) -> None:
    on = Handlers("shop")

    @on(Viewed, name="hasty", retry=Backoff(max_age=60.0))
    @on(Viewed, name="patient")
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    pipeline = play(on)
    pipeline.handle(Viewed(s="s1", n=7))
    assert {handler for handler, _, _ in pipeline.parked()} == {"hasty", "patient"}
    pipeline.later(100.0)
    assert [handler for handler, _, _ in pipeline.dead()] == ["hasty"]
    assert [handler for handler, _, _ in pipeline.parked()] == ["patient"]
    pipeline.handle(Opened(s="s1"))
    assert pipeline.effects("viewed") == [7, 7], "the one that was given up is revived"


@pytest.mark.parametrize("with_database", [True, False])
def test_a_handler_says_when_to_come_back(play: Play, with_database: bool) -> None:
    pipeline = play(failing(None, RetryAfter(90, "the service says so"), with_database), max_attempts=3)
    pipeline.handle(Placed(n=7))
    assert [round(at - pipeline.clock.now) for at in pipeline.rows("parked", "due_at")] == [90, 90]
    assert [said for _, _, said in pipeline.parked()] == [
        "RetryAfter: again in 90 s: the service says so"
    ] * 2
    pipeline.later(50.0)
    assert pipeline.rows("parked", "attempts") == [1, 1], "it is not due yet"
    pipeline.later(50.0)
    assert pipeline.rows("parked", "attempts") == [2, 2]
    pipeline.later(100.0)
    assert [reason for _, _, reason in pipeline.dead()] == ["failed 3 times"] * 2


def test_the_order_of_a_key_is_kept_meanwhile(play: Play) -> None:
    on, busy = Handlers("shop"), {1}

    @on(Placed)
    def asking(event: Placed, db: Session) -> None:
        if event.n in busy:
            raise RetryAfter(30)
        note(db, "asking", event.n)

    pipeline = play(on)
    pipeline.handle(*placed([1, 2, 3], key="k"), *placed([4]))
    assert pipeline.effects() == [4]
    busy.clear()
    pipeline.later(31.0)
    assert pipeline.effects() == [4, 1, 2, 3]
    assert pipeline.is_clean()


def test_a_service_that_asks_for_patience_is_no_broken_deploy(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def asking(event: Placed, db: Session) -> None:
        raise RetryAfter(30)

    pipeline = play(on)
    pipeline.handle(*placed(range(60)))
    assert len(pipeline.parked()) == 60


def test_at_least_once(play: Play) -> None:
    on = Handlers("shop", promises={"placed": "at-least-once"})

    @on(Placed, retry=Backoff(attempts=2))
    def asking(event: Placed) -> None:
        raise RetryAfter(30)

    pipeline = play(on)
    pipeline.handle(Placed(n=7))
    assert [round(at - pipeline.clock.now) for at in pipeline.rows("parked", "due_at")] == [30]
    pipeline.later(31.0)
    assert pipeline.dead() == [("asking", 7, "failed 2 times")]


def test_a_pause_may_be_a_timedelta() -> None:
    later = RetryAfter(timedelta(seconds=90), "busy")
    assert (later.seconds, str(later)) == (90.0, "again in 90 s: busy")


@pytest.mark.parametrize(
    "seconds", [timedelta(-1), timedelta(days=3651), -1, math.nan, math.inf, 1e12, 10**400, "30", None, True]
)
def test_what_is_no_pause_is_the_handlers_mistake(seconds: Any) -> None:
    with pytest.raises(HandlerMisuse) as caught:
        RetryAfter(seconds)
    one_line(caught.value, "RetryAfter(", "seconds until the next attempt")


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"first": 0}, "first is 0"),
        ({"longest": -1.0}, "longest is -1.0"),
        ({"max_age": math.inf}, "max_age is inf"),
        ({"max_age": 10**400}, "max_age is 1000"),
        ({"first": 1e300}, "first is 1e+300"),
        ({"longest": math.nan}, "longest is nan"),
        ({"attempts": 0}, "attempts is 0"),
        ({"attempts": 2.5}, "attempts is 2.5"),
        ({"first": "1"}, "first is '1'"),
        ({"first": 10.0, "longest": 5.0}, "longest is 5.0"),
    ],
)
def test_a_backoff_that_makes_no_sense(said: dict[str, Any], part: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 # its text is looked at
        Backoff(**said)
    one_line(caught.value, "Backoff: ", part)


def test_what_is_no_backoff_is_refused_at_registration() -> None:
    on = Handlers("shop")
    with pytest.raises(RegistrationError) as caught:

        @on(Placed, retry=30)  # type: ignore[arg-type]
        def asking(event: Placed) -> None: ...

    one_line(caught.value, "asking", "retry is 30", "Backoff(")


@given(
    first=st.none() | st.floats(0.001, 1e6),
    longest=st.none() | st.floats(0.001, 1e6),
    attempts=st.integers(1, 200),
)
def test_no_pause_is_longer_than_the_longest(
    first: float | None, longest: float | None, attempts: int
) -> None:
    if first is not None and longest is not None and longest < first:
        first, longest = longest, first
    policy = RetryPolicy(uniform=lambda low, high: (low + high) / 2).of(Backoff(first=first, longest=longest))
    pause = policy.delay(attempts)
    assert 0 < pause <= policy.longest * 1.0001
    assert longest is None or policy.longest == longest
