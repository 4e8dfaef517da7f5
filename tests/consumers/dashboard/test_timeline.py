"""The timeline of a session."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from consumers.dashboard.visiting import problem, visitor
from consumers.pipeline import Opened, Pipeline, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access

ROW = re.compile(r"<tr>\s*<td>.*?</td><td>(\w[\w ]*)")


def lived(play: Play, key: str = "<anna>", **said: object) -> Pipeline:
    """A view waits for its session, which comes a minute later; another one waits still."""
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    pipeline = play(on, **said)
    pipeline.handle(Viewed(k=key, s=key, n=1))
    pipeline.clock.now += 60
    pipeline.handle(Opened(k=key, s=key))
    pipeline.handle(Viewed(k=key, s="another", n=2))
    return pipeline


def test_a_session_in_the_order_of_time(play: Play) -> None:
    pipeline = lived(play, journal="all")
    shown = visitor(pipeline, Access.read()).page("/timeline?key=%3Canna%3E")
    whats = [what.strip() for what in ROW.findall(shown) if what not in ("announced", "arrived")]
    assert whats == ["waiting", "done", "done", "met", "waiting"]
    assert "for opened &lt;anna&gt;" in shown
    assert "<anna>" not in shown
    assert shown.count('<span class="quiet">(still)</span>') == 1
    assert "for 1 min" in shown
    (opened,) = [row for row in pipeline.rows("journal", "event_id", "signal") if row[1] == "opened"]
    assert f"/event?id={opened[0]}" in shown


def test_a_window(play: Play) -> None:
    client = visitor(lived(play, journal="all"), Access.read())
    assert client.page("/timeline?key=%3Canna%3E&newer=30s").count(">waiting") == 1
    assert client.page("/timeline?key=%3Canna%3E&older=30s").count(">waiting") == 1
    assert "nothing is known of this key" in client.page("/timeline?key=bert")


def test_it_says_what_may_be_missing(play: Play) -> None:
    pipeline = lived(play)
    assert "the journal is off" in visitor(pipeline, Access.read()).page("/timeline?key=%3Canna%3E")
    form = visitor(pipeline, Access.read()).page("/timeline")
    assert "<table" not in form
    assert 'name="key"' in form


@pytest.mark.parametrize(("query", "word"), [("key=%00", "NUL"), ("key=k&newer=soon", "10m, 2h or 3d")])
def test_a_wrong_field_is_one_line(play: Play, query: str, word: str) -> None:
    problem(visitor(lived(play), Access.read()).get(f"/timeline?{query}"), 400, word)


def test_the_event_leads_to_it(play: Play) -> None:
    pipeline = lived(play)
    (event_id,) = pipeline.rows("parked", "event_id")
    assert "/timeline?key=%3Canna%3E" in visitor(pipeline, Access.read()).page(f"/event?id={event_id}")
