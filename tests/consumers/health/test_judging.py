"""What is to be made of a heartbeat: one reason for each thing that can be wrong, and whether a restart may help."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.health.beat import Beat, born_at
from oyez.consumers.health.judging import FROZEN, problems

NOW, LIMIT = 10_000.0, 120.0
LONG_AGO = NOW - LIMIT - 1
FINE = Beat("w[0]", os.getpid(), born_at(os.getpid()), LIMIT, NOW, NOW, NOW, "working", LONG_AGO)


def judged(**changes: Any) -> list[tuple[str, bool]]:
    return [(one.reason, one.is_stuck) for one in problems([FINE._replace(**changes)], NOW)]


def test_one_that_gets_on() -> None:
    assert judged() == []
    assert judged(doing="resting", turned=LONG_AGO, progress=LONG_AGO) == []


STUCK: dict[str, tuple[dict[str, Any], str]] = {
    "a handler never returns": (
        {"turned": LONG_AGO, "progress": LONG_AGO, "is_in_handler": True, "why": "sleep (shop.py:9)"},
        "a handler has not returned for 121 s; it is in sleep (shop.py:9)",
    ),
    "something else never returns": (
        {"turned": LONG_AGO, "why": "wait (psycopg.py:9)"},
        "it has not come round for 121 s; it is in wait (psycopg.py:9)",
    ),
    "the join never ends": (
        {"doing": "joining", "why": "the broker says of the group: it waits"},
        "its join lasts for 121 s and does not end: the broker says of the group: it waits",
    ),
    "the log has more and nothing comes": (
        {"progress": LONG_AGO, "why": "t partition 0 has records from 4 to 9"},
        "it has not got on for 121 s: t partition 0 has records from 4 to 9",
    ),
    "it is frozen": (
        {"at": NOW - FROZEN - 1},
        "it says nothing for 31 s: it is frozen, or what it calls lets nothing else run",
    ),
    "it never starts": ({"doing": "starting", "turned": LONG_AGO}, "it has not come round for 121 s"),
}


@pytest.mark.parametrize(("changes", "reason"), STUCK.values(), ids=STUCK)
def test_what_a_restart_may_help(changes: dict[str, Any], reason: str) -> None:
    assert judged(**changes) == [(reason, True)]


WAITS: dict[str, tuple[dict[str, Any], str]] = {
    "it is dead": ({"pid": 0, "why": "it ended with signal SIGKILL"}, "it ended with signal SIGKILL"),
    "another has its number": ({"born": FINE.born + 1}, "it does not run"),
    "it starts": ({"doing": "starting", "since": NOW}, "it starts (wait a moment)"),
    "it joins": ({"doing": "joining", "since": NOW}, "it joins its group (wait a moment)"),
    "nobody was asked yet": (
        {"doing": "joining", "since": NOW, "why": "the broker has not been asked yet"},
        "it joins its group (wait a moment): the broker has not been asked yet",
    ),
    "the database is away": (
        {"waits": "the database does not answer", "turned": LONG_AGO, "progress": LONG_AGO},
        "the database does not answer",
    ),
    "the join waits for a broker that is away": (
        {"doing": "joining", "waits": "the broker has not answered for 130 s"},
        "the broker has not answered for 130 s",
    ),
    "its log is halted": (
        {"halted": ("t partition 0 is halted",), "progress": LONG_AGO},
        "t partition 0 is halted",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), WAITS.values(), ids=WAITS)
def test_what_a_restart_does_not_help(changes: dict[str, Any], reason: str) -> None:
    assert judged(**changes) == [(reason, False)]


@given(
    doing=st.sampled_from(["starting", "joining", "working", "resting", "stopping"]),
    waits=st.sampled_from(["", "the database"]),
    halted=st.sampled_from([(), ("t partition 0",)]),
    at=st.floats(0, FROZEN),
    turned=st.floats(0, 300),
    progress=st.floats(0, 300),
    since=st.floats(0, 300),
)
def test_no_restart_for_what_waits_and_none_without_a_long_time(
    doing: str, waits: str, halted: tuple[str, ...], at: float, **ages: float
) -> None:
    moments = {name: NOW - age for name, age in ages.items()}
    found = judged(doing=doing, waits=waits, halted=halted, at=NOW - at, **moments)
    if any(is_stuck for _, is_stuck in found):
        assert not waits
        assert max(ages.values()) > LIMIT
    if waits:
        assert waits in [reason for reason, _ in found]
