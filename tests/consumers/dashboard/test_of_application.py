"""What an application is: its signals and which of them come first, its handlers, its settings."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from consumers.dashboard.visiting import Visitor, problem, visitor
from consumers.pipeline import TOPIC, Opened, Placed, Play, Viewed, known
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.dashboard import Access, dashboard
from oyez.consumers.dashboard.common.access import anybody
from oyez.consumers.dashboard.questions import signals as questions
from oyez.schemas import Catalogue, Signal

odd_signals = Catalogue()


class Odd(Signal, catalogue=odd_signals, name="odd"):
    """<script>alert(1)</script>"""

    n: int = 0


odd_handlers = Handlers("shop")


@odd_handlers(Odd)
def odd(_event: Odd) -> None: ...


on = Handlers("shop")


@on(Opened)
def greet(_event: Opened) -> None: ...


@on(Viewed)
def look(_event: Viewed) -> None: ...


@on(Placed, name="place", order="none")
def place(_event: Placed) -> None: ...


def test_who_requires_whom_is_drawn_and_listed(play: Play) -> None:
    shown = visitor(play(on), Access.read()).page("/signals")
    (svg,) = re.findall(r"<svg class=\"graph\".*?</svg>", shown, re.DOTALL)
    drawn = ElementTree.fromstring(svg)
    assert [one.text for one in drawn.iter("text")] == ["opened", "viewed"]
    assert [one.get("href") for one in drawn.iter("a")] == ["/signals/opened", "/signals/viewed"]
    assert "opened before viewed" in svg
    assert '<th scope="row"><a href="/signals/placed">placed</a></th>' in shown
    assert "opened (s)" in shown


def test_a_signal_has_its_handlers_and_its_schema(play: Play) -> None:
    client = visitor(play(on), Access.read())
    shown = client.page("/signals/viewed")
    assert "<h1>viewed</h1>" in shown
    assert "&#34;x-oyez-requires&#34;" in shown
    assert "look" in shown
    assert "greet" not in shown
    problem(client.get("/signals/%3Cb%3E"), 404, "no signal &lt;b&gt;")


def test_signals_that_nobody_waits_for_are_not_drawn(play: Play) -> None:
    alone = Handlers("shop")
    alone(Placed)(place)
    shown = visitor(play(alone), Access.read()).page("/signals")
    assert "<svg" not in shown
    assert "opened" in shown


def test_too_many_are_not_drawn(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "DRAWN", 1)
    shown = visitor(play(on), Access.read()).page("/signals")
    assert "<svg" not in shown
    assert "2 signals wait for one another" in shown


def test_texts_of_a_schema_are_escaped(pipeline_sqlite: str) -> None:
    client = looking(Application(odd_handlers, odd_signals), pipeline_sqlite)
    shown = client.page("/signals/odd")
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_handlers_are_listed_in_the_order_of_their_signals(play: Play) -> None:
    shown = visitor(play(on), Access.read()).page("/handlers")
    assert re.findall(r'<th scope="row">(\w+)</th>', shown) == ["place", "greet", "look"]
    assert "opened (s)" in shown


def looking(application: Application, url: str, **said: object) -> Visitor:
    settings = ListenSettings(**{"database": url, "topic": TOPIC, "transport": "memory", **said})  # type: ignore[arg-type]
    return Visitor(dashboard(application, access=anybody(Access.read()), settings=settings))


def test_settings_say_where_they_are_from_and_no_secret(
    pipeline_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("oyez.toml").write_text('batch = 77\nmail_password = "hidden-in-a-file"\n')
    monkeypatch.setenv("OYEZ_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("OYEZ_TOPPIC", "<script>")
    client = looking(Application(on, known), f"{pipeline_sqlite}", source="<b>web</b>")
    rows = dict(re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', client.page("/settings")))
    assert ">77<" in rows["OYEZ_BATCH"]
    assert "oyez.toml, line 1" in rows["OYEZ_BATCH"]
    assert "OYEZ_MAX_ATTEMPTS in the environment" in rows["OYEZ_MAX_ATTEMPTS"]
    assert "given to this process" in rows["OYEZ_TOPIC"]
    assert "default" in rows["OYEZ_SWEEP_EVERY"]
    assert "&lt;b&gt;web" in rows["OYEZ_SOURCE"]
    assert "OYEZ_TOPIC" in rows["OYEZ_TOPPIC"]
    assert "hidden-in-a-file" not in str(rows)
    only = dict(re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', client.page("/settings?set=1")))
    assert "OYEZ_SWEEP_EVERY" not in only
    assert {"OYEZ_BATCH", "OYEZ_TOPIC", "OYEZ_TOPPIC"} <= set(only)


def test_a_wrong_setting_is_shown_and_its_page_too(
    pipeline_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = looking(Application(on, known), pipeline_sqlite)
    monkeypatch.setenv("OYEZ_BATCH", "many")
    shown = client.page("/settings")
    assert "of these are wrong" in shown


def test_the_doctor_says_what_is_wrong_and_what_to_do(pipeline_sqlite: str, tmp_path: Path) -> None:
    shown = looking(Application(on, known), pipeline_sqlite).page("/doctor")
    assert "Nothing is wrong" in shown
    assert "shop has 3 handlers" in shown
    missing = looking(Application(on, known), f"sqlite:///{tmp_path / 'none.db'}").page("/doctor")
    assert re.search(r'<p class="problem">\d+ wrong', missing)
    assert "oyez db upgrade" in missing
