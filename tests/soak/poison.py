"""A handler that ends its process on a few of many events."""

from __future__ import annotations

import json
import random
import time

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Placed
from soak.figures import Figures, judged, overtaken

BATCH = 5_000


def poison_events(
    scripted_app: RunningApp, *, events: int, poison: int, workers: int, seed: int, timeout: float
) -> Figures:
    """Exactly the poison ones become dead letters; all others are handled once, in the order of their keys."""
    fatal = set(random.Random(seed).sample(range(events), poison))
    keys = max(1, events // 20)
    for at in range(0, events, BATCH):
        numbers = range(at, min(at + BATCH, events))
        scripted_app.announce(
            *(Placed(k=f"k{n % keys}", n=n, asks="die" if n in fatal else "") for n in numbers)
        )
    began = time.monotonic()
    listening = scripted_app.listen("rows.placed", workers=workers)
    wanted = [n for n in range(events) if n not in fatal]

    def is_done() -> bool:
        return (
            scripted_app.count("place") >= len(wanted)
            and len(_dead(scripted_app)) >= poison
            and not scripted_app.size("parked")
        )

    scripted_app.until(is_done, timeout, 0.5)
    seconds = time.monotonic() - began
    values = {
        "seed": seed,
        "events": events,
        "deaths": listening.output().count("ended with exit code 1"),
        "dead": len(_dead(scripted_app)),
        "innocent": len(_dead(scripted_app) - fatal),
        "missing": len(fatal - _dead(scripted_app)),
        "handled once": sorted(scripted_app.effects("place")) == wanted,
        "overtaken": overtaken((n % keys, n) for n in scripted_app.effects("place")),
        "seconds": round(seconds, 1),
        "exit": listening.stop(),
    }
    return judged(
        "poison events", values, innocent=0, missing=0, overtaken=0, exit=0, **{"handled once": True}
    )


def _dead(scripted_app: RunningApp) -> set[int]:
    return {int(json.loads(value)["data"]["n"]) for value in scripted_app.rows("dead", "value")}
