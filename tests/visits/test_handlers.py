"""The handlers on a database: in whatever order and batches, the visits are those of the in-order result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from oyez.schemas import Event, catalogue
from visits import tables
from visits.accesslog import View
from visits.database import landings_in, trails_in, visits_in
from visits.handlers import count_views, follow_starts, follow_views, note_landings, open_visits
from visits.server import signals_of
from visits.sessions import Step, steps_of, visits_of
from visits.signals import PageViewed, Seen, SessionStarted, VisitLanded
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


@given(log=logs, data=st.data())
def test_visits_do_not_depend_on_the_order_of_arrival(
    log: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    steps = steps_from(log)
    arriving = data.draw(st.permutations([signal for step in steps for signal in signals_of(step)]))
    engine = create_engine("sqlite://")
    with engine.begin() as db:
        tables.metadata.create_all(db)
        for batch in data.draw(cuts(as_handled(arriving))):
            handle(batch, db)
        assert visits_in(db) == visits_of(steps)
    engine.dispose()


def as_handled(arriving: Sequence[Seen]) -> list[Seen]:
    """In the order in which they may be handled: a view waits for its session's start."""
    started: set[str] = set()
    handled: list[Seen] = []
    waiting: dict[str, list[Seen]] = {}
    for signal in arriving:
        session = signal.session_id
        if isinstance(signal, SessionStarted):
            started.add(session)
            handled += [signal, *waiting.pop(session, [])]
        elif session in started:
            handled.append(signal)
        else:
            waiting.setdefault(session, []).append(signal)
    return handled


@st.composite
def cuts(draw: st.DrawFn, signals: list[Seen]) -> list[list[Seen]]:
    """The signals in batches."""
    ends = sorted(draw(st.sets(st.integers(0, len(signals)))) | {0, len(signals)})
    return [signals[begin:end] for begin, end in pairwise(ends)]


class Landed:
    """In the place of the announcer: what was announced is handled at once."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def announce(self, landed: VisitLanded, *, cause: SessionStarted) -> None:
        assert landed.page == cause.path
        note_landings([landed], self._db)


def handle(batch: Sequence[Seen], db: Connection) -> None:
    """Hand a batch to the handlers, as the two groups get it."""
    starts = [signal for signal in batch if isinstance(signal, SessionStarted)]
    views = [signal for signal in batch if isinstance(signal, PageViewed)]
    if starts:
        open_visits(starts, db, Landed(db))  # type: ignore[arg-type] # it has what the handler uses of it
    if views:
        count_views(views, db)


LOG = [
    (9, "a", "/in"),
    (9, "a", "/same second"),
    (20, "b", "/other"),
    (5, "a", "/earliest"),
    (9, "a", "/out"),
]


def test_both_databases_count_and_keep_the_last_page(db: Connection) -> None:
    steps = steps_from(LOG)
    signals = [signal for step in reversed(steps) for signal in signals_of(step)]
    handle([s for s in signals if isinstance(s, SessionStarted)], db)
    views = [s for s in signals if isinstance(s, PageViewed)]
    handle(views[:2], db)
    handle(views[2:], db)
    assert visits_in(db) == visits_of(steps)
    assert landings_in(db) == {s: [visit.entry_page] for s, visit in visits_of(steps).items()}
    (first,) = (visit for visit in visits_in(db).values() if visit.page_views == 4)
    assert (first.entry_page, first.exit_page, first.started_at, first.ended_at) == (
        "/earliest",
        "/out",
        5,
        9,
    )


def test_a_view_without_its_visit_is_refused(db: Connection) -> None:
    steps = steps_from(LOG)
    signals = [signal for step in steps for signal in signals_of(step)]
    visits_begun = {s.session_id for s in signals if isinstance(s, SessionStarted)}
    one = next(iter(visits_begun))
    handle([s for s in signals if isinstance(s, SessionStarted) and s.session_id == one], db)
    with pytest.raises(LookupError, match="1 of 2 visits have not begun"):
        handle([s for s in signals if isinstance(s, PageViewed)], db)


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
