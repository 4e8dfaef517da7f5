"""What any announcer of the process announces arrives in each kit that is open, and a run for nothing is not true."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.testing.cafe import Cleared, Cooked, Opened, Rung, noted, on, rung, signals, tables
from oyez.consumers.testing import Kit, kit
from oyez.consumers.testing.telling import told
from oyez.producers import Announcer, Settings
from oyez.schemas import Signal


def announce(*found: Signal) -> None:
    """By an announcer that the code under test makes."""
    said: dict[str, Any] = {"transport": "memory", "source": "web-1"}
    with Announcer.from_settings(Settings(**said), catalogue=signals) as announcer:
        for one in found:
            announcer.announce(one)


def test_settings_that_say_memory_reach_it(oyez: Kit) -> None:
    announce(Cooked(n=1))
    assert [event.source for event in oyez.announced] == ["web-1"]
    assert oyez.run()
    assert noted(oyez, "serve") == noted(oyez, "wash") == [1]


def test_the_order_of_announcing_is_kept_whoever_announces(oyez: Kit) -> None:
    oyez.advance(1000)
    for n in range(0, 8, 2):
        announce(Cooked(n=n))
        oyez.announce(Cooked(n=n + 1))
    assert [event.data.n for event in oyez.announced] == list(range(8))


def test_a_second_kit_takes_nothing_from_the_first(oyez: Kit) -> None:
    announce(Cooked(n=1), Rung(n=1))
    with kit(on, signals=signals) as other:
        assert other.announced == []
        announce(Cooked(n=2))
        other.announce(Cooked(n=3))
        assert [event.data for event in other.announced] == [Cooked(n=2), Cooked(n=3)]
    announce(Cooked(n=4))
    assert oyez.run()
    assert sorted(noted(oyez, "wash")) == [1, 2, 4]
    assert ("hear", 1) in rung


Steps = st.lists(st.sampled_from(["announce", "open", "close", "look"]), max_size=14)


@settings(max_examples=20, deadline=None)
@given(Steps)
def test_each_kit_has_what_was_announced_while_it_was_open(steps: list[str]) -> None:
    opened: list[tuple[Any, Kit, list[int]]] = []
    for n, step in enumerate(steps):
        if step == "announce":
            announce(Cleared(table=str(n)))
            for *_, owed in opened:
                owed.append(n)
        elif step == "open":
            entered = kit(on, signals=signals)
            opened.append((entered, entered.__enter__(), []))
        elif opened and step == "close":
            opened.pop(0)[0].__exit__(None, None, None)
        for _, made, owed in opened:
            assert step != "look" or _tables(made) == owed
    for entered, made, owed in opened:
        assert _tables(made) == owed
        entered.__exit__(None, None, None)


def _tables(made: Kit) -> list[int]:
    return [int(event.data.table) for event in made.announced]


def test_a_run_to_which_nothing_was_announced_is_not_true(oyez: Kit) -> None:
    ran = oyez.run()
    assert not ran
    assert ran.idle
    assert repr(ran).startswith(
        "<Ran: 0 handled, 0 left; nothing was announced to this kit since the last run;"
    )
    assert "OYEZ_TRANSPORT=memory" in repr(ran)
    oyez.advance(3600)
    assert not oyez.run(), "time makes nothing of nothing"
    oyez.announce(Rung(n=1))
    assert oyez.run()
    assert not oyez.run(), "the second event went elsewhere"
    oyez.advance(1)
    assert oyez.run(), "something may have become due"
    assert not oyez.run()


def test_an_event_that_nobody_handles_is_handled(oyez: Kit) -> None:
    oyez.announce(Cleared(table="1"))
    ran = oyez.run()
    assert ran
    assert (ran.handled, ran.idle) == (0, False)


def test_an_attempt_is_something(oyez: Kit) -> None:
    oyez.fail("lay", ValueError, times=2)
    oyez.announce(Opened(table="1"))
    assert not oyez.run().idle
    oyez.advance(100)
    assert not oyez.run().idle
    left = oyez.run()
    assert left.idle
    assert "is tried again" in repr(left)
    assert repr(left).endswith("a live kit: in the topics of its settings)>")
    assert "OYEZ_TRANSPORT=memory" in told(oyez, "--seed"), "a failed test shows it too"


def test_a_group_that_is_left_is_something(oyez: Kit) -> None:
    oyez.fail("hear", ValueError("as told"))
    for n in range(60):
        oyez.announce(Rung(n=n))
    for _ in range(2):
        ran = oyez.run()
        assert (list(ran.broken), ran.idle) == (["cafe.bell"], False)


@pytest.mark.parametrize("transport", ["memory", "spool"])
def test_the_transport_that_is_set_makes_no_difference(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_TRANSPORT", transport)
    with kit(on, signals=signals) as oyez:
        tables.create_all(oyez.engine)
        announce(Cooked(n=1))
        oyez.announce(Cooked(n=2))
        assert oyez.run()
        assert sorted(noted(oyez, "wash")) == [1, 2]
