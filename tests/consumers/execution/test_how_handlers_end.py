"""How a handler may end, and what is written down of it: an attempt, a wait, or a dead letter."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from consumers.execution.one_bad import BAD, EVENTS, fail
from consumers.pipeline import Opened, Placed, Play, note, placed
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.core.error_groups import bare
from oyez.consumers.core.stop_signals import Stop, Terminated


class Own(BaseException):
    """An error of the user's own that is no `Exception`."""


TWO = "ExceptionGroup: two (2 sub-exceptions); ValueError: a; KeyError: 'b'"


@pytest.mark.parametrize(
    ("error", "parked", "dead"),
    [
        (ValueError("two\nlines"), "ValueError: two lines", None),
        (NotReady(), "not ready", None),
        (SystemExit(3), "SystemExit: 3", None),
        (Reject("never"), None, "rejected by its handler"),
        (ValueError("nul \0 and \ud800"), "ValueError: nul \\0 and \\ud800", None),
        (Reject("nul \0 and \ud800"), None, "rejected by its handler"),
        (ValueError("x" * 100_000), "ValueError: xxx", None),
        (KeyError(), "KeyError: ", None),
        (asyncio.CancelledError(), "CancelledError: ", None),
        (GeneratorExit(), "GeneratorExit: ", None),
        (Own("own"), "Own: own", None),
        (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), TWO, None),
        (
            BaseExceptionGroup("one", [ExceptionGroup("in one", [Reject("never")])]),
            None,
            "rejected by its handler",
        ),
        (BaseExceptionGroup("one", [Own("own")]), "Own: own", None),
    ],
)
@pytest.mark.parametrize("takes_list", [True, False])
@pytest.mark.parametrize("with_database", [True, False])
def test_how_a_handler_may_end(
    error: BaseException,
    parked: str | None,
    dead: str | None,
    with_database: bool,
    takes_list: bool,
    play: Play,
) -> None:
    on = Handlers("shop")

    def inside(event: Placed, db: Session) -> None:
        note(db, "done", event.n)
        fail(event.n, error)

    def outside(event: Placed) -> None:
        fail(event.n, error)

    def all_inside(events: list[Placed], db: Session) -> None:
        for event in events:
            inside(event, db)

    def all_outside(events: list[Placed]) -> None:
        for event in events:
            outside(event)

    one, many = (inside, all_inside) if with_database else (outside, all_outside)
    on(Placed, name="ending")(many if takes_list else one)
    pipeline = play(on)
    pipeline.handle(*placed([BAD - 1, BAD, BAD + 1]))
    if with_database:
        assert pipeline.effects("done") == [BAD - 1, BAD + 1]
    if parked is not None:
        [(handler, n, said)] = pipeline.parked()
        assert (handler, n) == ("ending", BAD)
        assert said.startswith(parked)
        assert len(pipeline.rows("parked", "error")[0]) <= 8000
        assert pipeline.dead() == []
    if dead is not None:
        assert pipeline.dead() == [("ending", BAD, dead)]
        assert pipeline.rows("dead", "error")[0].replace("\\0", "\0").replace("\\ud800", "\ud800") == str(
            bare(error)
        )
        assert pipeline.parked() == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt("mine"), BaseExceptionGroup("", [KeyboardInterrupt("mine")])]
)
@pytest.mark.parametrize("is_noted", [True, False])
def test_an_interrupt_that_nobody_sent_is_the_handlers_own(
    is_noted: bool, error: BaseException, play: Play, stop_signals: None
) -> None:
    """Where SIGINT is ignored, as in a worker, or only noted, as in a pass."""
    signal.signal(signal.SIGINT, Stop()._on_signal if is_noted else signal.SIG_IGN)
    on = Handlers("shop")

    @on(Placed)
    def ending(event: Placed, db: Session) -> None:
        note(db, "done", event.n)
        fail(event.n, error)

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS))
    assert [(n, said) for _, n, said in pipeline.parked()] == [(BAD, "KeyboardInterrupt: mine")]
    assert pipeline.effects("done") == [n for n in EVENTS if n != BAD]


@pytest.fixture
def stop_signals() -> Iterator[None]:
    """What stop signals do is as before, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_error_without_a_text(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def ending(event: Placed, db: Session) -> None:
        raise Unspeakable

    pipeline = play(on)
    pipeline.handle(Placed())
    [(_, _, said)] = pipeline.parked()
    assert said.startswith("Unspeakable: ")


def test_the_error_says_where(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def ending(event: Placed, db: Session) -> None:
        helper()

    def helper() -> None:
        raise ValueError("deep inside")

    pipeline = play(on)
    pipeline.handle(Placed())
    [error] = pipeline.rows("parked", "error")
    assert error.startswith("ValueError: deep inside\n")
    assert "in helper" in error
    assert __file__ in error


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_what_is_meant_for_the_process_is_no_outcome(stop: type[BaseException], play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def ending(event: Placed, db: Session) -> None:
        note(db, "done", event.n)
        if event.n == BAD:
            raise stop

    pipeline = play(on)
    pipeline.announce(*placed(EVENTS))
    with pytest.raises(stop):
        pipeline.run()
    assert pipeline.effects() == []
    assert pipeline.rows("inbox") == []
    assert pipeline.is_clean()


def test_given_up_after_so_many_attempts(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def never(event: Placed, db: Session) -> None:
        fail(event.n)

    pipeline = play(on, max_attempts=3)
    pipeline.handle(*placed([BAD, BAD + 1], key="k"))
    for attempts in (1, 2):
        assert pipeline.rows("parked", "attempts") == [attempts, 0]
        pipeline.later()
    assert pipeline.parked() == []
    assert pipeline.dead() == [("never", BAD, "failed 3 times")]
    assert pipeline.rows("dead", "attempts") == [3]


def test_not_ready_for_a_prerequisite(play: Play) -> None:
    """It waits; what is met already counts as an attempt; a signal without a subject is the handler's mistake."""
    asked: dict[int, Any] = {
        0: (Opened, "s1"),
        1: (Opened, 7),
        2: (Opened, "s1"),
        3: (Placed, "s1"),
        4: (Opened, None),
    }
    on = Handlers("shop")

    @on(Placed, group="all")
    def waiting(event: Placed, db: Session) -> None:
        note(db, "waiting", event.n)
        if event.n in asked:
            raise NotReady(*asked[event.n])

    @on(Opened, group="all")
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    pipeline = play(on)
    pipeline.handle(*placed(range(6)))
    waits = dict(
        zip(
            (n for _, n, _ in pipeline.parked()),
            pipeline.rows("parked", "wait_signal", "wait_subject"),
            strict=True,
        )
    )
    assert waits == {
        0: ("opened", "s1"),
        1: ("opened", "7"),
        2: ("opened", "s1"),
        3: (None, None),
        4: (None, None),
    }
    errors = {n: error for _, n, error in pipeline.parked()}
    assert errors[3].startswith("HandlerMisuse: NotReady(placed, …): the signal has no subject to wait for")
    assert errors[4].startswith("HandlerMisuse: NotReady(opened, None): say which subject")
    assert pipeline.effects("waiting") == [5]

    asked.pop(0)
    pipeline.handle(Opened(s="s1"))
    assert pipeline.effects("waiting") == [5, 0]
    assert [(n, error) for _, n, error in pipeline.parked() if n == 2] == [
        (2, "NotReady: opened 's1' is met already")
    ]
    assert (
        dict(zip((n for _, n, _ in pipeline.parked()), pipeline.rows("parked", "attempts"), strict=True))[2]
        == 1
    )


def test_a_handler_may_import_nothing_and_exit(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def leaving(event: Placed, db: Connection) -> None:
        db.execute(text("SELECT 1"))
        sys.exit("enough")

    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert [error for _, _, error in pipeline.parked()] == ["SystemExit: enough"] * 3
