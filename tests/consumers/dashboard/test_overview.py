"""The overview says what `oyez status` says."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Mount

from consumers.dashboard.visiting import Visitor, app_at, app_of, problem, visitor
from consumers.pipeline import Opened, Placed, Play, Viewed, known
from oyez.consumers import Application, Handlers
from oyez.consumers.dashboard import Access

on = Handlers("shop")


@on(Opened)
def greet(_event: Opened) -> None:
    pass


@on(Viewed)
def look(_event: Viewed) -> None:
    pass


@on(Placed)
def place(_event: Placed) -> None:
    raise ValueError("no <b>stock</b>")


def test_groups_and_what_waits(play: Play) -> None:
    pipeline = play(on)
    pipeline.handle(Viewed(), Placed())
    shown = visitor(pipeline, Access.read()).page("/")
    assert "shop.viewed" in shown
    assert "exactly-once" in shown
    assert "read-only" in shown
    assert "<h1>Overview</h1>" in shown


def test_it_is_closed_unless_told(play: Play) -> None:
    client = Visitor(app_of(play(on), Access.none()))
    problem(client.get("/"), 403, "access=")


def test_mounted_its_links_lead_to_itself(play: Play) -> None:
    inner = app_of(play(on), Access.read())
    client = Visitor(Starlette(routes=[Mount("/inside", inner)]))
    shown = client.page("/inside/")
    assert 'href="/inside/static/' in shown
    assert 'href="/inside/" aria-current="page"' in shown
    problem(client.get("/inside/none"), 404)


def test_a_database_that_is_away_is_a_page() -> None:
    app = app_at("postgresql+psycopg://nobody@127.0.0.1:1/none", Application(on, known), Access.read())
    response = Visitor(app).get("/")
    problem(response, 503, "the database")
    assert response.headers["retry-after"] == "5"


def test_a_database_without_tables_is_a_page(sqlite: str) -> None:
    problem(Visitor(app_at(sqlite, Application(on, known), Access.read())).get("/"), 503, "oyez db upgrade")


def test_a_log_that_is_away_is_a_line_of_the_page(play: Play) -> None:
    away = app_of(play(on), Access.read(), transport="kafka", kafka="127.0.0.1:1")
    shown = Visitor(away).page("/")
    assert "how much is left to read is not known" in shown
    assert "shop.viewed" in shown
