"""Many that wait for one subject, and a chain that arrives backwards."""

from __future__ import annotations

import time

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Opened, Replied, Viewed
from soak.figures import Figures, judged

BATCH = 1_000


def many_for_one(scripted_app: RunningApp, count: int, *, timeout: float) -> Figures:
    """``count`` events of as many keys wait for one subject; then it comes."""
    listening = scripted_app.listen("rows.viewed", "rows.opened")
    _announce(scripted_app, [Viewed(k=f"k{n}", s="s", n=n) for n in range(count)])
    scripted_app.until(lambda: scripted_app.size("parked") == count, timeout, 0.1)
    began = time.monotonic()
    scripted_app.announce(Opened(s="s"))
    scripted_app.until_handled(range(count), "view", timeout=timeout)
    return _figures("many wait for one", scripted_app, listening.stop(), count, time.monotonic() - began)


def a_chain(scripted_app: RunningApp, depth: int, *, timeout: float) -> Figures:
    """Each waits for the one before it, and the last is announced first."""
    listening = scripted_app.listen("rows.replied")
    chain = [Replied(reply=str(n), parent=str(n - 1) if n else None, n=n) for n in range(depth)]
    _announce(scripted_app, chain[:0:-1])
    scripted_app.until(lambda: scripted_app.size("parked") == depth - 1, timeout, 0.1)
    began = time.monotonic()
    scripted_app.announce(chain[0])
    scripted_app.until_handled(range(depth), "reply", timeout=timeout)
    seconds = time.monotonic() - began
    assert scripted_app.effects("reply") == list(range(depth))
    return _figures("a chain", scripted_app, listening.stop(), depth, seconds)


def _announce(scripted_app: RunningApp, events: list[Viewed] | list[Replied]) -> None:
    for at in range(0, len(events), BATCH):
        scripted_app.announce(*events[at : at + BATCH])


def _figures(name: str, scripted_app: RunningApp, code: int, count: int, seconds: float) -> Figures:
    left = scripted_app.left()
    values = {"events": count, "seconds": round(seconds, 1), "left": left, "exit": code}
    return judged(name, values, left=0, exit=0)
