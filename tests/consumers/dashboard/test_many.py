"""Very many deliveries do not stop the pages: what is looked at is bounded, and what takes too long ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from consumers.dashboard.visiting import Visitor, asking, settings_at, visitor
from consumers.pipeline import Pipeline, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access
from oyez.consumers.dashboard.app import served_board
from oyez.consumers.dashboard.common.asked import Board
from oyez.consumers.dashboard.common.problems import problem_of
from oyez.consumers.dashboard.questions.lists import MOST
from oyez.consumers.dashboard.questions.overview import overview
from oyez.consumers.run import status
from oyez.consumers.run.engines import engine_from
from support.tables import table_named

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None:
    raise ValueError("no stock")


NUMBERS = {
    "sqlite": "(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {}) SELECT n FROM g) AS g",
    "postgresql": "generate_series(1, {}) AS g(n)",
}


def many(play: Play, count: int) -> Pipeline:
    """So many that are parked."""
    pipeline = play(on)
    pipeline.handle(Placed())
    pipeline.clock.now += 1.0
    names = [f'"{one.name}"' for one in table_named("parked").c if one.name not in {"id", "event_id"}]
    numbers = NUMBERS[pipeline.engine.dialect.name].format(count - 1)
    columns, like = ", ".join(names), ", ".join(f"one.{name}" for name in names)
    with pipeline.engine.begin() as db:
        db.execute(
            text(
                f"INSERT INTO oyez_parked ({columns}, event_id) "
                f"SELECT {like}, 'e' || g.n FROM (SELECT * FROM oyez_parked) AS one, {numbers}"
            )
        )
    return pipeline


def test_more_than_are_counted(play: Play) -> None:
    client = visitor(many(play, MOST + 50), Access.act())
    shown = client.page("/parked")
    assert f"More than {MOST} deliveries" in shown
    assert shown.count("<tr>") == 51
    assert f"<strong>{MOST + 50} deliveries</strong>" in client.page("/parked/release")
    assert f">{MOST + 50}</a>" in client.page("/parked/errors")


def test_what_takes_too_long_ends(play: Play) -> None:
    pipeline = many(play, 2_000)
    url = pipeline.engine.url.render_as_string(hide_password=False)
    settings = settings_at(url)
    board = Board(pipeline.application, settings, engine_from(settings), longest=0.05)
    with pytest.raises(DBAPIError) as raised, board.reading() as db:
        db.execute(text("SELECT count(*) FROM oyez_parked a, oyez_parked b, oyez_parked c")).scalar_one()
    found = problem_of(raised.value, board.engine)
    assert (found.status, found.line) == (503, "the database took too long to find that; choose less of it")
    with replace(board, longest=10.0).reading() as db:
        assert db.execute(text("SELECT count(*) FROM oyez_parked")).scalar_one() == 2_000
    board.engine.dispose()


def test_so_does_what_the_overview_asks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = many(play, 2_000)
    settings = settings_at(pipeline.engine.url.render_as_string(hide_password=False))
    board = Board(pipeline.application, settings, engine_from(settings), longest=0.05)
    slow = text("SELECT count(*) FROM oyez_parked a, oyez_parked b, oyez_parked c")
    monkeypatch.setattr(status, "group_states", lambda db, *_: db.execute(slow).scalar_one())
    with pytest.raises(DBAPIError) as raised:
        overview(board.application, board.settings, board.database, board.longest)
    assert problem_of(raised.value, board.engine).status == 503
    board.engine.dispose()


@pytest.mark.parametrize("path", ["/", "/dead/retry", "/parked/errors", "/parked/release"])
def test_a_question_asks_on_one_connection(play: Play, path: str) -> None:
    """A second one would have no limit, and be waited for while many ask."""
    pipeline, most, out = many(play, 2), 0, 0

    def checkout(*_: object) -> None:
        nonlocal most, out
        out += 1
        most = max(most, out)

    def checkin(*_: object) -> None:
        nonlocal out
        out -= 1

    url = pipeline.engine.url.render_as_string(hide_password=False)
    board = Board(pipeline.application, settings_at(url), pipeline.engine)
    event.listen(pipeline.engine, "checkout", checkout)
    event.listen(pipeline.engine, "checkin", checkin)
    Visitor(served_board(board, asking(Access.act()), None)).page(path)
    event.remove(pipeline.engine, "checkout", checkout)
    event.remove(pipeline.engine, "checkin", checkin)
    assert most == 1
