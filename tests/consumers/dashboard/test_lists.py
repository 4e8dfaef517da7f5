"""What is parked and dead: lists by the commands' filters, page by page, and by error."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from consumers.dashboard.visiting import problem, visitor
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed
from oyez.consumers import Handlers, Reject
from oyez.consumers.dashboard import Access
from oyez.consumers.database.tables import parked

on = Handlers("shop")


@on(Opened)
def greet(_event: Opened) -> None:
    pass


@on(Viewed)
def look(_event: Viewed) -> None:
    pass


@on(Placed)
def place(event: Placed) -> None:
    if event.n >= 10:
        raise Reject(f"{event.n} is too many")
    raise ValueError("no <b>stock</b>")


def filled(play: Play) -> Pipeline:
    """Two that wait for a session, three that fail each for itself, and two that are dead."""
    pipeline = play(on)
    views = [Viewed(s=f"s{n}", k=f"v{n}", n=n) for n in range(2)]
    pipeline.handle(*views, *(Placed(k=f"k{n}", n=n) for n in (0, 1, 2, 10, 11)))
    return pipeline


def rows(shown: str) -> int:
    """How many rows the table of a page has."""
    body = shown.partition("<tbody>")[2].partition("</tbody>")[0]
    return body.count("<tr>") if "colspan" not in body else 0


def test_each_filter_of_the_commands(play: Play) -> None:
    client = visitor(filled(play), Access.read())
    for path, count in {
        "/parked": 5,
        "/parked?handler=look": 2,
        "/parked?signal=placed": 3,
        "/parked?group=shop.viewed": 2,
        "/parked?key=k1": 1,
        "/parked?source=web": 5,
        "/parked?source=elsewhere": 0,
        "/parked?reason=waiting": 2,
        "/parked?reason=due&handler=place": 3,
        "/parked?error=stock": 3,
        "/parked?error=STOCK": 0,
        "/parked?newer=1h": 5,
        "/parked?older=1h": 0,
        "/parked?before=0": 0,
        "/dead": 2,
        "/dead?reason=rejected&error=10": 1,
        "/dead?key=k11": 1,
        "/dead?handler=nobody": 0,
    }.items():
        shown = client.page(path)
        assert rows(shown) == count, path
        assert f"<p>{count} deliver" in shown, path


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/parked?reason=dead", "waiting, behind, due"),
        ("/parked?newer=soon", "10m, 2h or 3d"),
        ("/dead?key=%00", "NUL"),
        ("/dead?below=x", "link"),
        ("/dead?since=nan", "seconds"),
        ("/event?id=%00", "NUL"),
    ],
)
def test_a_wrong_filter_is_one_line(play: Play, path: str, word: str) -> None:
    problem(visitor(play(on), Access.read()).get(path), 400, word)


def test_page_by_page_there_and_back(play: Play) -> None:
    pipeline = filled(play)
    (one,) = [row for row in pipeline.rows("parked") if row[0] == pipeline.rows("parked", "id")[0]]
    names = [column.name for column in parked.columns]
    like = {**dict(zip(names, one, strict=True)), "key": None, "ordered": False}
    with pipeline.engine.begin() as db:
        db.execute(
            insert(parked),
            [{**like, "id": 1000 + n, "event_id": f"e{n:03}", "handler": "look"} for n in range(120)],
        )
    client = visitor(pipeline, Access.read())
    seen, path, first = [], "/parked?handler=look", ""
    while path:
        shown = client.page(path)
        seen += re.findall(r">(e\d{3})<", shown)
        found = re.search(r'href="([^"]+)" rel="next"', shown)
        first = first or shown
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == [f"e{n:03}" for n in reversed(range(120))]
    back = re.search(r'href="([^"]+)" rel="prev"', shown)
    assert back
    middle = client.page(back[1].replace("&amp;", "&"))
    assert re.findall(r">(e\d{3})<", middle) == seen[50:100]
    assert 'rel="prev"' not in first


def test_by_error_within_windows(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.read())
    shown = client.page("/parked/errors")
    assert rows(shown) == 2
    assert "ValueError: no &lt;b&gt;stock" in shown
    assert "waits for opened" in shown
    assert re.search(r"newer=1h&amp;[^\"]*\">3</a>", shown)
    dead = client.page("/dead/errors?handler=place")
    assert rows(dead) == 2
    link = re.findall(r'href="(/dead\?[^"]+newer=7d[^"]+)"', dead)
    assert rows(client.page(link[0].replace("&amp;", "&"))) == 1


def test_an_event_with_all_that_is_known(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.read())
    (event,) = [one for one, key in pipeline.rows("parked", "event_id", "key") if key == "k0"]
    shown = client.page(f"/event?id={quote(event)}")
    assert "ValueError: no &lt;b&gt;stock&lt;/b&gt;\n" in shown
    assert "its next attempt" in shown
    assert "&#34;n&#34;: 0" in shown
    dead = pipeline.rows("dead", "event_id")[0]
    assert "oyez dead retry" in client.page(f"/event?id={dead}&source=web")
    problem(client.get("/event?id=none"), 404, "none")
    assert "required" in client.page("/event")


def test_an_event_that_has_expired_is_not_said_to_be_done(play: Play) -> None:
    pipeline = play(on)
    pipeline.clock.now = time.time() + 60
    event = pipeline.announcer.announce(Opened(n=1), expires=timedelta(seconds=1))
    pipeline.run()
    shown = visitor(pipeline, Access.read()).page(f"/event?id={event}")
    assert re.search(r"<td>expired: expired at 20", shown)
    assert "no handler is given it any more; later events of its key go on" in shown
    assert "it has ended everywhere" in shown
    assert "done" not in re.findall(r"<td>(\w+)", shown)
