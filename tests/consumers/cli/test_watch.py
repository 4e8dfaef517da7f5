"""`oyez status --watch`: drawn on a terminal, with sparklines, until a signal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert

from consumers.cli.conftest import Invoke
from consumers.cli.running import APPS, OYEZ
from consumers.pipeline import TOPIC, Placed, known
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.cli.commands.status_watch import Look, Seen, watch
from oyez.consumers.cli.common.sparkline import BARS, PLAIN, sparkline
from oyez.consumers.core.stop_signals import Stop
from oyez.consumers.database import DatabaseAway
from oyez.consumers.database.sample_table import sample
from oyez.consumers.reports import GroupState, ParkedCounts
from oyez.consumers.run.status import Status
from support.tables import knowing_the_tables

LIMIT = 40.0  # s
on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None: ...


@given(st.lists(st.none() | st.floats(0, 1e12)))
def test_a_bar_for_each_value_the_highest_for_the_highest(values: list[float | None]) -> None:
    bars = sparkline(values)
    assert len(bars) == len(values)
    assert [bar == " " for bar in bars] == [value is None for value in values]
    known = [value for value in values if value is not None]
    if any(known):
        assert bars[values.index(max(known))] == BARS[-1]
    assert all(bar == BARS[0] for bar, value in zip(bars, values, strict=True) if value == 0)
    assert all(bar != BARS[0] for bar, value in zip(bars, values, strict=True) if value)


def test_letters_alone() -> None:
    assert sparkline([0, 1, None, 7], PLAIN) == "_. @"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--watch"], "on a terminal"), (["--watch", "--json"], "--json"), (["--every", "3"], "for --watch")],
)
def test_where_it_cannot_be_drawn_it_is_a_line(
    refused: Callable[..., None], arguments: list[str], word: str
) -> None:
    refused(["status", *arguments], 2, word)


def test_what_does_not_answer_is_said_and_what_was_seen_stays(capsys: pytest.CaptureFixture[str]) -> None:
    looks: list[Seen | Exception] = [
        DatabaseAway("the database is away"),
        Seen(Status({}, [state()]), {}),
        DatabaseAway("away again"),
    ]

    class Times(Stop):
        """It is told to stop when all was looked at."""

        def __init__(self) -> None: ...

        def __call__(self) -> bool:
            return not looks

        def wait(self, seconds: float) -> bool:
            return self()

    def look() -> Seen:
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    times = iter([0.0, 3_661.0])  # as it begins, and after the look that found something
    watch(look, lambda _status: None, Times(), 1.0, lambda: next(times))
    said = capsys.readouterr().out
    assert said.count("shop.placed") == 2
    assert said.count(f"seen at {datetime.fromtimestamp(3_661).astimezone():%H:%M:%S}") == 2
    assert said.index("the database is away; it is asked again") < said.index("shop.placed")
    assert (
        said.index("shop.placed") < said.index("away again; it is asked again") < said.rindex("shop.placed")
    )


def test_a_log_that_is_away_is_said_and_no_process_is_forked(pipeline_sqlite: str) -> None:
    """A look is one of many, beside the clients of the looks before it: a child of theirs may hang."""
    forks: list[int] = []
    os.register_at_fork(before=lambda: forks.append(1))
    settings = ListenSettings(database=pipeline_sqlite, topic=TOPIC, transport="kafka", kafka="127.0.0.1:1")
    engine = knowing_the_tables(create_engine(pipeline_sqlite))
    seen = Look(Application(on, known), settings, engine, asks=True)()
    engine.dispose()
    assert seen.away is not None
    assert seen.away.endswith("; how much is left to read is not known")
    assert [(one.group, one.lag) for one in seen.status.groups] == [("shop.placed", None)]
    assert forks == []


def test_a_mistake_of_ours_is_not_asked_again() -> None:
    def look() -> Seen:
        raise KeyError("none")

    with pytest.raises(KeyError):
        watch(look, lambda _status: None, cast("Stop", lambda: False), 1.0)


def state() -> GroupState:
    return GroupState("shop.placed", "exactly-once", 3, ParkedCounts(), None, 0, [])


class Terminal:
    """A command on a terminal, and what it has drawn so far."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._ours, its = pty.openpty()
        kept = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLUMNS": "160",
            "PYTHONPATH": str(APPS),
            **environment,
        }
        self.process = subprocess.Popen([OYEZ, *arguments], stdin=its, stdout=its, stderr=its, env=kept)
        os.close(its)
        self.said = ""

    def until(self, *words: str) -> None:
        """Read until it has drawn all of these."""
        limit = time.monotonic() + LIMIT
        while not all(word in self.said for word in words):
            assert time.monotonic() < limit, self.said
            self.said += os.read(self._ours, 65_536).decode(errors="replace")

    def end(self, number: signal.Signals) -> int:
        """Send it a signal, and read the rest; its exit code."""
        self.process.send_signal(number)
        try:
            while block := os.read(self._ours, 65_536):
                self.said += block.decode(errors="replace")
        except OSError:  # the other end is closed
            pass
        return self.process.wait(LIMIT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    found = Terminal(*arguments, **environment)
    try:
        yield found
    finally:
        found.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_is_drawn_until_a_signal_and_leaves_the_terminal_as_it_was(
    invoke: Invoke, number: signal.Signals, code: int
) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    at = int(time.time() // 60)
    engine = knowing_the_tables(create_engine("sqlite:///oyez.db"))
    row = {"failed": 0, "lag": 0, "oldest_wait": None, "dead": 0}
    with engine.begin() as db:
        rows = [
            {"minute": at - n, "group_name": group, "handled": 60 * n, "parked": 3, **row}
            for n in range(1, 50)
            for group in groups(invoke)
        ]
        db.execute(insert(sample), rows)
    engine.dispose()
    with terminal("status", "--watch", "--every", "0.5") as drawn:
        drawn.until(
            "\x1b[?1049h", "last hour", BARS[-1], "seen at", "outbox", "database", "sqlite:///oyez.db"
        )
        assert drawn.end(number) == code
        assert drawn.said.endswith("\x1b[?25h") or "\x1b[?1049l" in drawn.said
        assert "Traceback" not in drawn.said


def groups(invoke: Invoke) -> set[str]:

    return {row["group"] for row in json.loads(invoke("handlers", "--json").stdout)}
