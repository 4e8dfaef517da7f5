"""Lanes in memory while workers are killed and frozen, and handlers fail: each event at least once, those of a key one
after another in each worker, and nothing is left."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from integration.rows.loose_app import Passed, Step, said_in
from integration.rows.running_app import RunningApp
from soak.figures import Figures, judged

GROUPS = {"threads": "thread", "tasks": "task"}
"""The groups, with the handler of each."""
LISTENERS = 2
ANNOUNCED = 50  # events at once


def in_lanes_in_memory(
    app: RunningApp,
    *,
    events: int,
    keys: int,
    kills: int,
    seconds: float,
    seed: int,
    timeout: float,
    tell: Callable[[str], None],
) -> Figures:
    """So many ``kills`` of workers, spread over so many seconds. A twentieth of the events fail once."""
    dice = random.Random(seed)
    app.env |= {"OYEZ_APP": "integration.rows.loose_app:on", "ROWS_SECONDS": "0.02"}
    moments = sorted(dice.uniform(0, seconds) for _ in range(kills))
    began = time.monotonic()
    listening = [app.listen(workers=2) for _ in range(LISTENERS)]
    app.until(lambda: all(len(one.children()) == 2 * len(GROUPS) for one in listening))
    since = time.monotonic()

    def watch() -> None:
        while moments and time.monotonic() - since >= moments[0]:
            if workers := dice.choice(listening).children():
                dice.choice(workers).send_signal(signal.SIGKILL)
                moments.pop(0)
                tell(f"lanes in memory: {len(moments)} kills to come")
            else:
                return

    announced = [
        Passed(k=f"k{dice.randrange(keys)}", n=n, asks="fail" if dice.random() < 0.05 else "")
        for n in range(events)
    ]
    for at in range(0, events, ANNOUNCED):
        app.announce(*announced[at : at + ANNOUNCED])
        watch()

    def is_done() -> bool:
        watch()
        return not moments and all(len(set(_ended(app, one))) == events for one in GROUPS.values())

    app.until(is_done, timeout, 0.3)
    app.until(lambda: app.left() == 0, 60)
    codes = [one.stop() for one in listening]
    times = {handler: Counter(_ended(app, handler)) for handler in GROUPS.values()}
    values = {
        "seed": seed,
        "events": events,
        "kills": kills,
        "missing": sum(events - len(found) for found in times.values()),
        "handled again": sum(found.total() - len(found) for found in times.values()),
        "at once": sum(_at_once(said_in(app.folder, handler)) for handler in GROUPS.values()),
        "left": app.left(),
        "codes": sum(codes),
        "seconds": round(time.monotonic() - began, 1),
    }
    return judged("lanes in memory", values, missing=0, left=0, codes=0, **{"at once": 0})


def _ended(app: RunningApp, handler: str) -> list[int]:
    return [step.n for step in said_in(app.folder, handler, lambda step: step.what == "ended")]


def _at_once(steps: list[Step]) -> int:
    """How often an event began in a worker in which another one of its key was. What is tried again does not count: it
    does not hold its key."""
    inside: dict[tuple[int, str], int] = {}
    failed: set[int] = set()
    clashes = 0
    for step in steps:
        place = step.pid, step.k
        if step.n in failed:
            continue
        if step.what == "begun":
            clashes += place in inside
            inside[place] = step.n
        else:
            failed |= {step.n} if step.what == "failed" else set()
            del inside[place]
    return clashes
