"""The last hours: plots made on the server, each with its table."""

from __future__ import annotations

import re

from sqlalchemy import Engine, insert

from consumers.dashboard.visiting import problem, visitor
from consumers.pipeline import Opened, Pipeline, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access
from oyez.consumers.database.sample_table import sample

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None: ...


@on(Opened)
def greet(_event: Opened) -> None: ...


def sampled(pipeline: Pipeline) -> None:
    """A sample of each of the last ten minutes but for two of them, of ours and of another application's."""
    fill(pipeline.engine, pipeline.clock.now)


def fill(engine: Engine, now: float) -> None:
    """The same, in a database."""
    row = {"handled": 120, "failed": 0, "lag": 7, "parked": 3, "oldest_wait": 90.0, "dead": 1}
    at = int(now // 60)
    with engine.begin() as db:
        for group in ("shop.placed", "<b>foreign</b>"):
            rows = [{"minute": at - n, "group_name": group, **row} for n in range(1, 11) if n not in (4, 5)]
            db.execute(insert(sample), rows)


def test_each_measure_is_a_plot_and_a_table(play: Play) -> None:
    pipeline = play(on)
    sampled(pipeline)
    shown = visitor(pipeline, Access.read()).page("/hours?hours=1")
    assert '<h2 id="group-1">shop.placed</h2>' in shown
    assert shown.count("<figure") == shown.count("<table>") == 6
    assert "From 2 to 2, at last 2." in shown
    assert "From 2 min to 2 min, at last 2 min." in shown
    (line,) = {len(re.findall('class="line"', figure)) for figure in shown.split("<figure")[1:]}
    assert line == 2  # the gap
    assert "not known" in shown
    assert "foreign" not in shown


def test_the_lag_of_a_spool_is_in_bytes(play: Play) -> None:
    pipeline = play(on)
    fill(pipeline.engine, pipeline.clock.now)
    for transport, title, said in (("spool", "Bytes", "7 bytes"), ("kafka", "Records", "7")):
        client = visitor(pipeline, Access.read(), transport=transport)
        for page in ("/hours?hours=1", "/"):
            (figure,) = [one for one in client.page(page).split("<figure")[1:] if "left to read" in one]
            assert f"{title} left to read" in figure
            assert f"at last {said}." in figure


def test_names_of_shapes_are_there_once_and_are_referred_to(play: Play) -> None:
    pipeline = play(on)
    sampled(pipeline)
    shown = visitor(pipeline, Access.read()).page("/hours")
    ids = re.findall(r'\bid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', shown)
    assert set(referred) <= set(ids)


def test_the_overview_has_all_groups_together(play: Play) -> None:
    pipeline = play(on)
    client = visitor(pipeline, Access.read())
    assert "<figure" not in client.page("/")
    sampled(pipeline)
    with pipeline.engine.begin() as db:
        row = {"handled": 60, "failed": 0, "lag": None, "parked": 4, "oldest_wait": None, "dead": 0}
        db.execute(
            insert(sample).values(minute=int(pipeline.clock.now // 60) - 6, group_name="shop.opened", **row)
        )
    shown = visitor(pipeline, Access.read()).page("/")
    assert shown.count("<figure") == 4
    assert "From 2 to 3, at last 2." in shown
    assert "From 3 to 7, at last 3." in shown


def test_what_is_no_choice_is_refused_in_a_line(play: Play) -> None:
    client = visitor(play(on), Access.read())
    problem(client.get("/hours?hours=1000000"), 400, "1, 3, 6, 24")
    problem(client.get("/hours?hours=%3Cb%3E"), 400, "1, 3, 6, 24")
    problem(client.get("/hours?group=%3Cscript%3E"), 404, "&lt;script&gt;")


def test_without_samples_it_says_so(play: Play) -> None:
    assert "is one running?" in visitor(play(on), Access.read()).page("/hours?group=shop.placed")
