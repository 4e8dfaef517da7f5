"""A thread that does passes: when it is woken, and once more at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from oyez.producers.pass_thread import Next, PassThread
from support.waiting import eventually


class Counting:
    """Passes that are counted; each has the answer that is set."""

    def __init__(self) -> None:
        self.answer = Next()
        self.lasts: list[bool] = []
        self.is_closed = threading.Event()

    def run(self, stop: Callable[[], bool], is_last: bool, /) -> Next:
        self.lasts.append(is_last)
        return self.answer

    def close(self) -> None:
        self.is_closed.set()


@pytest.fixture
def passes() -> Counting:
    return Counting()


@pytest.fixture
def thread(passes: Counting) -> Iterator[PassThread]:
    made = PassThread("passes", lambda: passes)
    yield made
    made.finish(60.0)


def test_it_begins_with_the_first_need_and_waits_for_the_next(passes: Counting, thread: PassThread) -> None:
    assert thread._thread is None
    for done in (1, 2, 3):
        thread.wake()
        eventually(lambda done=done: len(passes.lasts) == done)
    assert passes.lasts == [False] * 3


def test_the_last_pass_is_after_all_waking(passes: Counting, thread: PassThread) -> None:
    thread.wake()
    eventually(lambda: passes.lasts)
    thread.finish(60.0)
    assert passes.lasts == [False, True]
    assert passes.is_closed.is_set()
    thread.wake()
    assert passes.lasts == [False, True]


def test_one_that_nobody_has_needed_does_nothing_at_the_end(passes: Counting, thread: PassThread) -> None:
    thread.finish(60.0)
    thread.wake()
    assert (passes.lasts, thread._thread) == ([], None)


def test_no_waking_shortens_a_pause(passes: Counting, thread: PassThread) -> None:
    passes.answer = Next(pause=60.0)
    thread.wake()
    eventually(lambda: passes.lasts)
    thread.wake()
    assert not passes.is_closed.wait(0.1)
    assert passes.lasts == [False]
    thread.finish(60.0)
    assert passes.lasts == [False, True]


def test_a_last_pass_that_is_not_done_is_repeated_until_the_time_is_up(
    passes: Counting, thread: PassThread
) -> None:
    passes.answer = Next(pause=0.01, is_done=False)
    thread.wake()
    thread.finish(1.0)
    assert passes.lasts[-2:] == [True, True]
    assert passes.is_closed.wait(60.0)


def test_it_looks_by_itself_where_that_is_wanted(passes: Counting) -> None:
    looking = PassThread("passes", lambda: passes, every=0.01)
    looking.wake()
    eventually(lambda: len(passes.lasts) > 3)
    looking.finish(60.0)
