"""Many that wait for one subject, and a chain that arrives backwards."""

from __future__ import annotations

import time

from integration.rows.stand import Stand
from integration.rows.till import Opened, Replied, Viewed
from soak.figures import Figures, judged

BATCH = 1_000


def many_for_one(till: Stand, count: int, *, patience: float) -> Figures:
    """``count`` events of as many keys wait for one subject; then it comes."""
    listening = till.listen("rows.viewed", "rows.opened")
    _announce(till, [Viewed(k=f"k{n}", s="s", n=n) for n in range(count)])
    till.until(lambda: till.size("parked") == count, patience, 0.1)
    began = time.monotonic()
    till.announce(Opened(s="s"))
    till.until_handled(range(count), "view", timeout=patience)
    return _figures("many wait for one", till, listening.stop(), count, time.monotonic() - began)


def a_chain(till: Stand, depth: int, *, patience: float) -> Figures:
    """Each waits for the one before it, and the last is announced first."""
    listening = till.listen("rows.replied")
    chain = [Replied(reply=str(n), parent=str(n - 1) if n else None, n=n) for n in range(depth)]
    _announce(till, chain[:0:-1])
    till.until(lambda: till.size("parked") == depth - 1, patience, 0.1)
    began = time.monotonic()
    till.announce(chain[0])
    till.until_handled(range(depth), "reply", timeout=patience)
    seconds = time.monotonic() - began
    assert till.effects("reply") == list(range(depth))
    return _figures("a chain", till, listening.stop(), depth, seconds)


def _announce(till: Stand, events: list[Viewed] | list[Replied]) -> None:
    for at in range(0, len(events), BATCH):
        till.announce(*events[at : at + BATCH])


def _figures(name: str, till: Stand, code: int, count: int, seconds: float) -> Figures:
    left = till.left()
    values = {"events": count, "seconds": round(seconds, 1), "left": left, "exit": code}
    return judged(name, values, left=0, exit=0)
