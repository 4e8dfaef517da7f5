"""The handlers on a database: in whatever order and batches, the visits are those of the in-order result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from oyez.consumers.testing import Kit, kit
from oyez.schemas import Event, catalogue
from visits import tables
from visits.accesslog import View
from visits.database import landings_in, trails_in, visits_in
from visits.handlers import count_views, follow_starts, follow_views, on, open_visits
from visits.server import signals_of
from visits.sessions import Step, deal, steps_of, visits_of
from visits.signals import PageViewed, Seen, SessionStarted
from visits.trails import trail_of

S = TypeVar("S", SessionStarted, PageViewed)

logs = st.lists(
    st.tuples(st.integers(0, 4000), st.sampled_from("ab"), st.sampled_from(["/", "/x?y=%20", "/'\""])),
    max_size=12,
)


def steps_from(log: Sequence[tuple[int, str, str]]) -> list[Step]:
    """The steps of a log, given as (time, visitor, path) for each line."""
    return steps_of([View(n, at, "1.1.1.1", agent, path) for n, (at, agent, path) in enumerate(log)])


def event(data: S, name: str, source: str = "web-0") -> Event[S]:
    """An event as a handler gets it."""
    key = data.session_id
    return Event(name, source, datetime(2025, 1, 1, tzinfo=UTC), catalogue[type(data)].name, key, key, data)


@pytest.fixture
def db(database: str) -> Iterator[Connection]:
    """A connection to a database of each kind, with the application's tables."""
    engine = create_engine(database)
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        yield connection
    engine.dispose()


Announced = dict[tuple[str, str], list[str]]
"""The ids of what a server announced of a session, by both, in the order in which it is to be handled."""


def announce(oyez: Kit, steps: Sequence[Step], servers: int) -> Announced:
    """Announce a log as so many servers do."""
    tables.metadata.create_all(oyez.engine)
    announced: Announced = {}
    for number, hand in enumerate(deal(steps, servers)):
        for signal in (signal for step in hand for signal in signals_of(step)):
            event_id = oyez.announce(signal, source=f"web-{number}")
            ids = announced.setdefault((signal.session_id, f"web-{number}"), [])
            ids.insert(0 if isinstance(signal, SessionStarted) else len(ids), event_id)
    return announced


def check(oyez: Kit, steps: Sequence[Step], announced: Announced) -> None:
    """All is in the tables, and each server's events were handled in their order."""
    expected = visits_of(steps)
    with oyez.engine.connect() as db:
        assert visits_in(db) == expected
        assert landings_in(db) == {session: [visit.entry_page] for session, visit in expected.items()}
        assert trails_in(db) == {place: trail_of(ids) for place, ids in announced.items()}


@settings(max_examples=15)
@given(log=logs, servers=st.integers(1, 3), seed=st.integers(0, 1_000_000))
def test_visits_do_not_depend_on_the_order_of_arrival(
    log: list[tuple[int, str, str]], servers: int, seed: int
) -> None:
    steps = steps_from(log)
    with kit(on) as oyez:
        announced = announce(oyez, steps, servers)
        assert oyez.run(order="any", seed=seed) or not announced
        check(oyez, steps, announced)


LOG = [
    (9, "a", "/in"),
    (9, "a", "/same second"),
    (20, "b", "/other"),
    (5, "a", "/earliest"),
    (9, "a", "/out"),
]


@pytest.mark.oyez("visits.handlers:on")
@pytest.mark.parametrize("fixture", ["oyez", "oyez_live"])
def test_everywhere_views_are_counted_and_the_last_page_is_kept(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    oyez: Kit = request.getfixturevalue(fixture)
    steps = steps_from(LOG)
    announced = announce(oyez, list(reversed(steps)), servers=2)
    assert oyez.run()
    check(oyez, steps, announced)
    with oyez.engine.connect() as db:
        (first,) = (visit for visit in visits_in(db).values() if visit.page_views == 4)
    assert (first.entry_page, first.exit_page, first.started_at, first.ended_at) == (
        "/earliest",
        "/out",
        5,
        9,
    )


@pytest.mark.oyez("visits.handlers:on")
def test_a_view_waits_for_its_visit(oyez: Kit) -> None:
    steps = steps_from(LOG)
    *views, start = sorted((one for step in steps for one in signals_of(step)), key=_is_start)
    tables.metadata.create_all(oyez.engine)
    for view in views:
        oyez.announce(view)
    assert not oyez.run()
    waiting = [one.waits_for.subject for one in oyez.parked if one.waits_for is not None]
    assert set(waiting) == {start.session_id}


def _is_start(signal: Seen) -> bool:
    return isinstance(signal, SessionStarted) and signal.path == "/earliest"


@pytest.mark.oyez("visits.handlers:on")
def test_what_fails_while_a_visit_is_opened_is_made_up_for(oyez: Kit) -> None:
    steps = steps_from(LOG)
    oyez.fail(open_visits, TimeoutError("the disk is slow"))
    oyez.fail(count_views, TimeoutError("the disk is slow"))
    announced = announce(oyez, steps, servers=1)
    assert not oyez.run()
    for _ in range(2):
        oyez.advance(2)
        ran = oyez.run()
    assert ran, ran
    check(oyez, steps, announced)


def test_a_view_without_its_visit_is_refused(db: Connection) -> None:
    steps = steps_from(LOG)
    signals = [signal for step in steps for signal in signals_of(step)]
    views = [signal for signal in signals if isinstance(signal, PageViewed)]
    with pytest.raises(LookupError, match="2 of 2 visits have not begun"):
        count_views(views, db)


def test_trails_follow_each_source_in_the_order_of_handling(db: Connection) -> None:
    (start, first), *rest = [signals_of(step) for step in steps_from([(n, "a", "/") for n in range(5)])]
    assert isinstance(start, SessionStarted)
    assert isinstance(first, PageViewed)
    views = [first, *(view for (view,) in rest if isinstance(view, PageViewed))]
    follow_starts([event(start, "s")], db)
    follow_views([event(views[0], "v0"), event(views[1], "v1", "web-1"), event(views[2], "v2")], db)
    follow_views([event(views[4], "v4", "web-1"), event(views[3], "v3", "web-1")], db)
    session = start.session_id
    assert trails_in(db) == {
        (session, "web-0"): trail_of(["s", "v0", "v2"]),
        (session, "web-1"): trail_of(["v1", "v4", "v3"]),
    }
