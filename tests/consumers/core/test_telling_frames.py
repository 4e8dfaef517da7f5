"""An error is kept with the place in the user's code that it came from, however deep in a library it was raised."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from consumers.pipeline import Placed, Play, placed
from oyez.consumers import Handlers
from oyez.consumers.core.user_errors import telling_frames
from oyez.consumers.execution.attempt import describe


def broken_json() -> None:
    json.loads("{x")


def broken_sql() -> None:
    with create_engine("sqlite://").connect() as db:
        db.execute(text("SELECT * FROM nowhere"))


def own_depth(left: int = 9) -> None:
    if not left:
        raise ValueError("deep")
    own_depth(left - 1)


def caught(raising: Callable[[], None]) -> Exception:
    with pytest.raises(Exception) as found:  # noqa: PT011 # each raises its own
        raising()
    return found.value


@pytest.mark.parametrize("raising", [broken_json, broken_sql, own_depth])
def test_the_users_own_line_is_among_them(raising: Callable[[], None]) -> None:
    said = describe(caught(raising))
    assert f"in {raising.__name__}\n" in said
    assert __file__ in said


@pytest.mark.parametrize(("raising", "most"), [(broken_json, 5), (broken_sql, 5), (own_depth, 3)])
def test_they_are_few_and_end_where_it_was_raised(raising: Callable[[], None], most: int) -> None:
    error = caught(raising)
    frames = telling_frames(error.__traceback__)
    assert len(frames) == most
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None
    assert frames[-1].lineno == trace.tb_lineno


def test_an_error_that_was_never_raised_has_none() -> None:
    assert telling_frames(None) == []


def test_what_called_the_users_code_is_none_of_them(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(_: Placed) -> None:
        raise ValueError("at once")

    pipeline = play(on)
    pipeline.announce(*placed([1]))
    pipeline.run()
    (error,) = pipeline.rows("parked", "error")
    assert error.count('File "') == 1
    assert "in place\n" in error
