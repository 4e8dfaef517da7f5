"""What a terminal shows of what takes long, and what nobody else is shown."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from oyez.consumers.cli.common.counting import EventCounter
from oyez.consumers.cli.common.logging import configure
from oyez.consumers.cli.common.progress import counted, progress
from oyez.consumers.cli.common.progress_bar import bar
from oyez.consumers.core.report import Report
from oyez.consumers.instrumentation.events import BatchHandled, NothingPaused
from support.waiting import eventually

LONG = 3_600.0


class Screen:
    """A terminal, and what stands on it."""

    def __init__(self) -> None:
        self._ours, its = pty.openpty()
        self.stream: IO[str] = os.fdopen(its, "w", buffering=1)
        self._said = ""

    @property
    def raw(self) -> str:
        while select.select([self._ours], [], [], 0)[0]:
            self._said += os.read(self._ours, 65_536).decode()
        return self._said

    def said(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw)

    def has(self, *words: str) -> Callable[[], bool]:
        return lambda: all(word in self.said() for word in words)

    def close(self) -> None:
        self.stream.close()
        os.close(self._ours)

    def __enter__(self) -> Screen:
        """From now on it is stderr and stdout; whoever runs tests has replaced them before."""
        self._before = sys.stderr, sys.stdout
        sys.stderr = sys.stdout = self.stream  # type: ignore[assignment]
        return self

    def __exit__(self, *_error: object) -> None:
        sys.stderr, sys.stdout = self._before


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    made = Screen()
    yield made
    made.close()


def test_how_far_it_is_how_fast_and_for_how_long(screen: Screen) -> None:
    with screen, progress("release", 40, after=0.0) as advance:
        advance(10)
        eventually(screen.has("release", "10/40"), timeout=30)
        advance(10)
        eventually(screen.has("20/40", "/s", "0:00"), timeout=30)


def test_what_is_counted_anyway_and_nobody_knows_the_total(screen: Screen) -> None:
    with screen, counted("send", None, lambda: 7, after=0.0):
        eventually(screen.has("send", " 7 "), timeout=30)


def test_what_it_is_about_may_change(screen: Screen) -> None:
    with screen, progress("look", 2, after=0.0) as advance:
        eventually(screen.has("look"), timeout=30)
        advance.what = "look at clocks"
        eventually(screen.has("look at clocks"), timeout=30)


def test_what_is_quick_shows_nothing(screen: Screen) -> None:
    with screen, progress("release", 40, after=LONG) as advance:
        advance(10)
    assert screen.said() == ""


def test_nothing_between_data(screen: Screen) -> None:
    with screen, progress("release", 40, hidden=True, after=0.0):
        pass
    read, write = os.pipe()
    with screen, os.fdopen(write, "w") as pipe, os.fdopen(read):
        sys.stdout = pipe
        with progress("release", 40, after=0.0):
            pass
    assert screen.said() == ""


def test_where_stderr_is_no_terminal_nobody_is_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress("release", 40, after=0.0) as advance:
        advance(1)
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_while_data_go_into_a_file_it_is_shown(screen: Screen, tmp_path: Path) -> None:
    with screen, (tmp_path / "data").open("w") as file:
        sys.stdout = file
        with progress("export", None, after=0.0) as advance:
            advance(3)
            eventually(screen.has("export", " 3 "), timeout=30)
            print("data")
    assert (tmp_path / "data").read_text() == "data\n"


def test_what_is_logged_meanwhile_stands_above_it(screen: Screen, logging_as_before: None) -> None:
    with screen:
        configure()
        with progress("release", None, after=0.0):
            eventually(screen.has("release"), timeout=30)
            logging.getLogger("oyez").info("a page is turned")
            eventually(screen.has("a page is turned"), timeout=30)
    (line,) = [line for line in re.split(r"[\r\n]+", screen.said()) if "turned" in line]
    assert "release" not in line


def test_the_cursor_is_shown_meanwhile(screen: Screen) -> None:
    with screen, progress("release", 40, after=0.0):
        eventually(screen.has("release"), timeout=30)
        eventually(lambda: screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l"), timeout=30)


def test_on_a_dumb_terminal_nothing_is_written(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with screen, progress("release", 40, after=0.0):
        pass
    assert screen.said() == ""


def test_the_time_counts_from_the_beginning(screen: Screen) -> None:
    with screen, bar("release", 40, None, 7_200.0):
        eventually(screen.has("2:00:0"), timeout=30)


def test_a_mistake_meanwhile_is_raised_and_the_terminal_left_in_order(screen: Screen) -> None:
    def fail() -> None:
        with screen, progress("release", 40, after=0.0):
            eventually(screen.has("release"), timeout=30)
            raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        fail()


def test_events_of_workers_are_counted() -> None:
    seen: list[int] = []
    counter = EventCounter(seen.append)
    counter.receive(BatchHandled("shop.opened", 3, 0.1, Report(events=3)))
    counter.receive(NothingPaused("shop.opened"))
    assert seen == [3]
