"""Visits: gaps, equal times, lines that are not in the order of time, dealing."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from visits import accesslog
from visits.accesslog import View
from visits.sessions import deal, steps_of, visits_of

views = st.lists(
    st.builds(
        View,
        line=st.just(0),
        at=st.integers(0, 6000),
        address=st.sampled_from(["1.1.1.1", "2.2.2.2"]),
        agent=st.sampled_from(["a", "b|c"]),
        path=st.sampled_from(["/", "/x", "/y?z"]),
    ),
    max_size=40,
).map(lambda some: [replace(view, line=2 * n) for n, view in enumerate(some)])


def test_a_small_log(small_log: Path) -> None:
    visits = visits_of(steps_of(accesslog.read(small_log).views))
    begin = 1431856800
    session = sha256(f"1.2.3.4|Mozilla/5.0|{begin}".encode()).hexdigest()[:16]
    first, other = visits[session], next(v for v in visits.values() if v.entry_page == "/d")
    assert (first.started_at, first.ended_at, first.page_views) == (begin, begin + 1800, 3)
    assert (first.entry_page, first.exit_page) == ("/a?x=1", "/c")
    assert (other.started_at, other.page_views, other.exit_page) == (begin + 1, 1, "/d")
    last = next(v for v in visits.values() if v.entry_page == "/f")
    assert last.started_at == begin + 3601
    assert last.visitor_id == first.visitor_id != other.visitor_id
    assert len(visits) == 3


@given(views)
def test_visits_are_cut_where_the_gap_is_too_long(some: list[View]) -> None:
    steps = sorted(steps_of(some), key=lambda step: (step.visitor_id, step.view.at, step.view.line))
    for before, step in pairwise(steps):
        same_visitor = before.visitor_id == step.visitor_id
        near = same_visitor and step.view.at - before.view.at <= 1800
        assert (before.session_id == step.session_id) is near
        assert step.first is not near


@given(views)
def test_every_view_is_in_one_visit(some: list[View]) -> None:
    steps = steps_of(some)
    assert [step.view for step in steps] == some
    visits = visits_of(steps)
    assert sum(visit.page_views for visit in visits.values()) == len(some)
    assert sum(step.first for step in steps) == len(visits)


@given(views, st.integers(1, 6))
def test_lines_are_dealt_in_turn(some: list[View], servers: int) -> None:
    hands = deal(steps_of(some), servers)
    assert [[step.view.line % servers for step in hand] for hand in hands] == [
        [server] * len(hand) for server, hand in enumerate(hands)
    ]
    assert sorted(step.view.line for hand in hands for step in hand) == [view.line for view in some]
    assert all(hand == sorted(hand, key=lambda step: step.view.line) for hand in hands)
