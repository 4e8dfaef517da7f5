"""What one server announces: events with their fates, in an order that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from oyez.schemas import Signal
from soak.chaos.app import Opened, Viewed

EXTRAS = (("fail", 0.004), ("reject", 0.002), ("never", 0.002))
KEYS = 200  # of one server, in turn
LATE = 50  # events by which a subject is opened too late, at most


class Line(NamedTuple):
    """A line of the ledger: what `announce` returned for."""

    signal: str
    key: str
    n: int
    fate: str


def script(source: str, seed: int, events: int, deaths: int) -> Iterator[tuple[Line, Signal]]:
    """So many events; ``deaths`` of them end the process that handles them.

    About one view in ten comes before its subject is opened. An event that is never met has a key of its own, as it
    would hold up what is behind it.
    """
    dice = random.Random(f"{seed} {source}")
    deadly = set(dice.sample(range(events // 10, events), deaths)) if deaths else set()
    late: dict[int, list[str]] = {}
    opened: list[str] = []
    for n in range(events):
        if late.get(n):
            yield _opened(source, n, subject := late[n].pop())
            late.setdefault(n + 1, []).extend(late.pop(n))
            opened.append(subject)
        elif n in deadly and opened:
            yield _viewed(source, n, opened[-1], "die")
        else:
            yield _drawn(source, n, dice, opened, late if n < events - 3 * LATE else None)
    assert not any(late.values())


def _drawn(
    source: str, n: int, dice: random.Random, opened: list[str], late: dict[int, list[str]] | None
) -> tuple[Line, Signal]:
    drawn, subject = dice.random(), f"{source}-s{n}"
    if not opened or drawn < 0.2:
        opened.append(subject)
        del opened[:-100]
        return _opened(source, n, subject)
    if drawn < 0.27 and late is not None:
        late.setdefault(n + dice.randrange(1, LATE), []).append(subject)
        return _viewed(source, n, subject, "")
    fate = next((name for name, share in EXTRAS if dice.random() < share), "")
    return _viewed(source, n, subject if fate == "never" else dice.choice(opened), fate)


def _opened(source: str, n: int, subject: str) -> tuple[Line, Signal]:
    key = f"{source}-k{n % KEYS}"
    return Line(Opened.__name__, key, n, ""), Opened(k=key, s=subject, n=n)


def _viewed(source: str, n: int, subject: str, fate: str) -> tuple[Line, Signal]:
    key = f"{source}-never{n}" if fate == "never" else f"{source}-k{n % KEYS}"
    return Line(Viewed.__name__, key, n, fate), Viewed(k=key, s=subject, n=n, fate=fate)
