"""An answer that took long is given again, and nobody waits for another one's question."""

from __future__ import annotations

import threading

import pytest

from oyez.consumers.dashboard.common.recent import Recent


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


def test_an_error_is_nobodys_answer() -> None:
    question = Question(0.1)
    recent = Recent(question.timer)
    with pytest.raises(ZeroDivisionError):
        recent.answer("a", lambda: 1 // 0)
    assert recent.answer("a", question) == 1
