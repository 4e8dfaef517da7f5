"""An answer that took long is given again, and nobody waits for another one's question."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from consumers.dashboard.visiting import HOST, app_of
from consumers.pipeline import Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access
from oyez.consumers.dashboard.common.recent import Recent, Underway

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None: ...


class Question:
    """Takes a time to answer, and counts."""

    def __init__(self, takes: float) -> None:
        self.now = 0.0
        self.takes = takes
        self.asked = 0

    def timer(self) -> float:
        return self.now

    def __call__(self) -> int:
        self.now += self.takes
        self.asked += 1
        return self.asked


@pytest.mark.parametrize(("takes", "kept"), [(0.01, 1.0), (0.5, 5.0), (30.0, 60.0)])
def test_it_is_kept_for_ten_times_as_long_as_it_took(takes: float, kept: float) -> None:
    question = Question(takes)
    recent = Recent(question.timer)
    assert recent.answer("a", question) == 1
    question.now += kept - 0.001
    assert recent.answer("a", question) == 1
    assert recent.answer("b", question) == 2
    question.now += 0.002
    assert recent.answer("a", question) == 3


def test_who_asks_meanwhile_gets_the_last_answer() -> None:
    question = Question(0.1)
    recent = Recent(question.timer)
    recent.answer("a", question)
    question.now += 100.0
    begun, goes_on = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert goes_on.wait(30)
        return 7

    thread = threading.Thread(target=recent.answer, args=("a", slow))
    thread.start()
    assert begun.wait(30)
    assert recent.answer("a", question) == 1
    goes_on.set()
    thread.join(30)
    assert recent.answer("a", question) == 7


@pytest.mark.parametrize(("takes", "kept"), [(0.01, 1.0), (5.0, 5.0), (100.0, 60.0)])
def test_an_error_is_kept_as_long_as_it_took(takes: float, kept: float) -> None:
    question = Question(takes)
    recent = Recent(question.timer)

    def fails() -> int:
        question()
        return 1 // 0

    depths = set()
    for wait in (0.0, 0.0, kept - 0.001):
        question.now += wait
        with pytest.raises(ZeroDivisionError) as raised:
            recent.answer("a", fails)
        assert raised.traceback[-1].name == "fails"
        depths.add(len(raised.traceback))
    assert question.asked == 1
    assert len(depths) == 2  # it does not grow with each who is told
    question.now += 0.002
    assert recent.answer("a", question) == 2


def test_who_has_no_answer_yet_is_told_to_wait() -> None:
    recent = Recent()

    def slow() -> int:
        with pytest.raises(Underway) as raised:
            recent.answer("a", slow)
        assert not raised.value.question.is_over
        questions.append(raised.value.question)
        return 7

    questions: list[Any] = []
    assert recent.answer("a", slow) == 7
    assert questions[0].is_over
    assert recent.answer("a", slow) == 7


def test_what_was_asked_before_something_was_done_is_not_kept() -> None:
    recent = Recent()

    def before() -> int:
        recent.forget("a")
        assert recent.answer("a", lambda: 2) == 2
        return 1

    assert recent.answer("a", before) == 1
    assert recent.answer("a", before) == 2


@pytest.mark.parametrize("fails", [False, True])
def test_who_waits_holds_up_no_other_page(play: Play, fails: bool) -> None:
    """One question for all who ask the same while there is no answer, and one answer, or one error."""
    asked, begun, goes_on = [], threading.Event(), threading.Event()

    def slow(_db: object, _cursor: object, statement: str, *_more: object) -> None:
        if "oyez_outbox" in statement and not goes_on.is_set():
            asked.append(statement)
            begun.set()
            assert goes_on.wait(30)
            if fails:
                raise OperationalError(statement, {}, Exception("the disk is gone"))

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as client:
            waiting = [asyncio.create_task(client.get("/outbox")) for _ in range(20)]
            await asyncio.to_thread(begun.wait, 30)
            async with asyncio.timeout(30):
                assert (await client.get("/signals")).status_code == 200
            assert not any(one.done() for one in waiting)
            goes_on.set()
            return await asyncio.gather(*waiting)

    app = app_of(play(on), Access.read())
    event.listen(app.state.board.engine, "before_cursor_execute", slow)  # type: ignore[attr-defined]
    found = asyncio.run(run())
    assert {one.status_code for one in found} == {500 if fails else 200}
    assert len({one.text for one in found}) == 1
    assert len(asked) == 1
