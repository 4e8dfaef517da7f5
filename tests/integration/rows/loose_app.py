"""An at-least-once application with lanes, for `oyez listen --app integration.rows.loose_app:on`: one handler in
threads, one in tasks. What they do is in the file `said`, a line for each step.

While the file `hold` is there, handlers wait; each event takes ROWS_SECONDS besides. Events say what goes wrong with
them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from oyez.consumers import Backoff, Handlers
from oyez.schemas import Signal

APP = os.environ.get("ROWS_APP", "loose")
FOLDER = Path(os.environ.get("ROWS_FOLDER", "."))
LANES = 100
SECONDS = float(os.environ.get("ROWS_SECONDS", "0.001"))  # of each event


class Passed(Signal, name="rows.passed", key="k"):
    """``asks``: die (each time, with its process), fail (the first time), or nothing."""

    k: str
    n: int
    asks: str = ""


class Step(NamedTuple):
    """A handler has begun, ended or failed an event, in a process."""

    handler: str
    what: str
    k: str
    n: int
    pid: int


SOON = Backoff(first=0.2, longest=1.0, attempts=1_000)
on = Handlers(APP, promises={"threads": "at-least-once", "tasks": "at-least-once"})


@on(Passed, group="threads", concurrency=LANES, retry=SOON)
def thread(event: Passed) -> None:
    say("thread", "begun", event)
    while (FOLDER / "hold").exists():
        time.sleep(0.02)
    time.sleep(SECONDS)
    misbehave("thread", event)
    say("thread", "ended", event)


@on(Passed, group="tasks", concurrency=LANES, retry=SOON)
async def task(event: Passed) -> None:
    say("task", "begun", event)
    while (FOLDER / "hold").exists():
        await asyncio.sleep(0.02)
    await asyncio.sleep(SECONDS)
    misbehave("task", event)
    say("task", "ended", event)


def misbehave(handler: str, event: Passed) -> None:
    """As asked."""
    if event.asks == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if event.asks == "fail":
        with suppress(FileExistsError):
            (FOLDER / f"tried-{handler}-{event.n}").touch(exist_ok=False)
            say(handler, "failed", event)
            raise ValueError("as asked")


def check_keys(steps: Iterable[Step]) -> None:
    """In each process, events of a key came one after another, and in order."""
    inside: dict[tuple[int, str], int] = {}
    last: dict[tuple[int, str], int] = {}
    for step in steps:
        place = step.pid, step.k
        if step.what == "begun":
            assert place not in inside, f"{step} beside {inside[place]}"
            assert last.get(place, -1) < step.n, f"{step} after {last[place]}"
            inside[place] = last[place] = step.n
        else:
            assert inside.pop(place) == step.n


def say(handler: str, what: str, event: Passed) -> None:
    """One write of a line is never mixed with another's."""
    line = f"{handler} {what} {event.k} {event.n} {os.getpid()}\n"
    said = os.open(FOLDER / "said", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(said, line.encode())
    finally:
        os.close(said)


def said_in(folder: Path, handler: str, is_it: Callable[[Step], bool] = lambda _: True) -> list[Step]:
    """What a handler has said, in order."""
    file = folder / "said"
    lines = file.read_text().splitlines() if file.exists() else []
    steps = [
        Step(*words[:3], int(words[3]), int(words[4])) for line in lines if len(words := line.split()) == 5
    ]
    return [step for step in steps if step.handler == handler and is_it(step)]
