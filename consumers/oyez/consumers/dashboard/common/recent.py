"""Answers that are given again for a while: what took long to find is not looked for at each request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, cast

T = TypeVar("T")

TIMES = 10.0
"""An answer is given again for so many times the time that it took."""
ERROR_TIMES = 1.0
"""The same for an error: what was in the way may be gone."""
LEAST = 1.0
"""Seconds for which either is given again at least."""
MOST = 60.0
"""The same at most: then it is too old, however long it takes."""


class Question:
    """One that somebody is asking."""

    is_over = False


class Underway(Exception):
    """Another one asks this very ``question``, and there is no answer yet: wait until it is over, and ask again."""

    def __init__(self, question: Question) -> None:
        super().__init__("it is being looked for")
        self.question = question


class _Kept(NamedTuple):
    value: Any
    error: Exception | None
    trace: TracebackType | None
    until: float

    def said(self) -> Any:
        if self.error is not None:
            raise self.error.with_traceback(self.trace)  # each raise makes it longer
        return self.value


class Recent:
    """Keeps answers, and errors, by name. However many ask, one at a time looks for an answer; meanwhile the others get
    the last one, or are told that there is none yet. So all viewers together take a small part of one connection's
    time, and nobody waits in a thread."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        """``timer`` gives seconds."""
        self._timer = timer
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, Question] = {}
        self._lock = threading.Lock()

    def answer(self, name: str, ask: Callable[[], T]) -> T:
        """The answer of that name, which ``ask`` gives if there is none or it is too old. Raises what that raises, and
        has raised just now; and `Underway`. Names are few: they are the pages' own."""
        with self._lock:
            kept, asked = self._kept.get(name), self._asking.get(name)
            is_new = kept is not None and kept.until > self._timer()
            mine = Question()
            if not is_new and asked is None:
                self._asking[name] = mine
        if kept is not None and (is_new or (asked is not None and kept.error is None)):
            return cast("T", kept.said())
        if asked is not None:
            raise Underway(asked)
        return self._asked(name, mine, ask)

    def _asked(self, name: str, question: Question, ask: Callable[[], T]) -> T:
        began = self._timer()
        try:
            value = ask()
        except Exception as error:
            self._keep(name, question, began, ERROR_TIMES, error=error)
            raise
        else:
            self._keep(name, question, began, TIMES, value=value)
            return value
        finally:
            with self._lock:
                if self._asking.get(name) is question:
                    del self._asking[name]
            question.is_over = True

    def _keep(
        self,
        name: str,
        question: Question,
        began: float,
        times: float,
        *,
        value: object = None,
        error: Exception | None = None,
    ) -> None:
        """Unless it was forgotten since it was asked."""
        ended = self._timer()
        lasts = min(MOST, max(LEAST, times * (ended - began)))
        trace = None if error is None else error.__traceback__
        with self._lock:
            if self._asking.get(name) is question:
                self._kept[name] = _Kept(value, error, trace, ended + lasts)

    def forget(self, name: str) -> None:
        """The next who asks is given a new answer: something was done."""
        with self._lock:
            self._kept.pop(name, None)
            self._asking.pop(name, None)  # its answer may be of before
