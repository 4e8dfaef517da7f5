"""Failures that a test asks for."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from consumers.testing import cafe
from consumers.testing.cafe import Cooked, Opened, Ordered, Rung, noted, rung
from oyez.consumers import NotReady, Reject
from oyez.consumers.testing import HandlerUnknown, Kit


def test_each_attempt_fails_as_often_as_asked(oyez: Kit) -> None:
    """Handlers of each kind: in a batch, of batches, in lanes, awaited, without a database, and in memory."""
    times = {"take": 1, "count": 2, "serve": 1, "wash": 2, "hear": 1, "echo": 2, "hum": 2}
    for handler, n in times.items():
        oyez.fail(handler, ValueError(f"as told to {handler}"), times=n)
    oyez.announce(Opened(table="7"))
    for n in range(3):
        oyez.announce(Ordered(table="7", n=n, guest=f"g{n}"))
        oyez.announce(Cooked(n=n))
        oyez.announce(Rung(n=n))
    for attempts in (1, 2):
        oyez.run()
        left = [one for one in oyez.parked if not (one.attempts == 0 and one.handler in ("serve", "wash"))]
        expected = Counter({handler: 3 for handler, n in times.items() if n >= attempts})
        assert Counter(one.handler for one in left if one.attempts == attempts) >= expected
        assert all((one.error or "").startswith(f"ValueError: as told to {one.handler}\n") for one in left)
        oyez.advance(100)
    while not oyez.run():
        assert {one.handler for one in oyez.parked} <= {"wash", "serve"}  # take's were announced later
        oyez.advance(100)
    assert noted(oyez, "count") == [0, 1, 2]
    assert sorted(noted(oyez, "serve")) == sorted(noted(oyez, "wash")) == [0, 0, 1, 1, 2, 2]


def test_what_is_required_fails_and_is_waited_for(oyez: Kit) -> None:
    oyez.fail("lay", ValueError, times=2)
    oyez.announce(Opened(table="7"))
    oyez.announce(Ordered(table="7", n=1))
    for attempts in (1, 2):
        oyez.run()
        assert [one.attempts for one in oyez.parked if one.handler == "lay"] == [attempts]
        assert {one.state for one in oyez.parked if one.handler != "lay"} == {"waiting"}
        oyez.advance(100)
    assert oyez.run()


def test_a_function_names_its_handler_and_data_its_events(oyez: Kit) -> None:
    oyez.fail(cafe.hear, Reject("too loud"), times=None, when=lambda bell: bell.n == 2)
    for n in range(4):
        oyez.announce(Rung(n=n))
    oyez.run()
    assert [n for name, n in rung if name == "hear"] == [0, 1, 3]
    assert [(one.handler, one.data) for one in oyez.dead] == [("hear", Rung(n=2))]


def test_it_is_told_to_fail_no_more(oyez: Kit) -> None:
    oyez.fail("wash", OSError, times=None)
    oyez.announce(Cooked(n=1))
    for _ in range(3):
        assert not oyez.run()
        oyez.advance(100)
    oyez.mend(cafe.wash)
    assert oyez.run()
    assert noted(oyez, "wash") == [1]


def test_it_waits_for_what_it_is_told_to(oyez: Kit) -> None:
    oyez.fail("take", NotReady(Opened, "9"))
    oyez.announce(Opened(table="7"))
    oyez.announce(Ordered(table="7", n=1))
    oyez.run()
    assert [(one.handler, one.state, one.attempts) for one in oyez.parked] == [("take", "waiting", 0)]
    oyez.announce(Opened(table="9", guest="g9"))
    assert oyez.run()
    assert noted(oyez, "count") == [1]
    assert noted(oyez, "take") == [1, 1]


def test_an_error_of_the_database_is_the_handlers(oyez: Kit) -> None:
    oyez.fail("lay", OperationalError("SELECT 1", {}, Exception("no such table")))
    oyez.announce(Opened(table="7"))
    oyez.run()
    assert [one.handler for one in oyez.parked] == ["lay"]
    oyez.advance(2)
    assert oyez.run()


def test_a_handler_that_is_not_there(oyez: Kit) -> None:
    with pytest.raises(HandlerUnknown, match=r"cafe has no handler layy; it has lay, take, count"):
        oyez.fail("layy", ValueError)
    with pytest.raises(HandlerUnknown, match="no handler noted"):
        oyez.mend(noted)


def test_when_nearly_everything_fails_the_group_is_left(oyez: Kit) -> None:
    oyez.fail("hear", ValueError("as told"))
    oyez.announce(Opened(table="1"))
    for n in range(60):
        oyez.announce(Rung(n=n))
    ran = oyez.run()
    assert not ran
    assert list(ran.broken) == ["cafe.bell"]
    assert "60 of 60" in ran.broken["cafe.bell"]
    assert noted(oyez, "lay") == [1]
    oyez.mend("hear")
    assert oyez.run()
    assert sorted(n for name, n in rung if name == "hear") == list(range(60))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit(1), asyncio.CancelledError, "no", int])
def test_what_is_no_attempts_failure_is_refused(oyez: Kit, error: Any) -> None:
    """A worker ends of it, and commits nothing: each run would raise it again."""
    with pytest.raises(TypeError, match=r"fail\(error=.*: only an Exception"):
        oyez.fail("hear", error)
    oyez.announce(Rung(n=1))
    assert oyez.run()
