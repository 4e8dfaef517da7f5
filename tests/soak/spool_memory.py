"""The memory of a worker that reads the spool, and of the process that appends to it, over many events."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Ticked
from oyez.producers.spool import Writer
from oyez.schemas import catalogue
from oyez.schemas.encoding import Encoder
from soak.figures import Figures, judged
from soak.memory import FLAT, KEYS, TENTHS, grown


def spool_memory(
    running_app: RunningApp, *, events: int, timeout: float, tell: Callable[[str], None] = print
) -> Figures:
    """Each tenth is appended here and read by `oyez listen`; what was read is deleted."""
    listening = running_app.listen("rows.ticked", spool_retention="delete")
    writer = Writer(
        running_app.folder / "spool" / running_app.topic, running_app.topic, segment_bytes=4_000_000
    )
    encode = Encoder("web-0", catalogue).encode
    sizes: list[tuple[float, float]] = []
    began, each = time.monotonic(), events // TENTHS
    for tenth in range(TENTHS):
        for n in range(tenth * each, (tenth + 1) * each):
            key = f"k{n % KEYS}"
            event_id = f"{n:012}"
            writer.append(
                encode(Ticked(k=key, n=n), id=event_id, time="2026-01-01T00:00:00Z", key=key, subject=None)
            )
        running_app.until(lambda done=(tenth + 1) * each: running_app.size("inbox") == done, timeout, 0.5)
        sizes.append((_worker(listening.children()), _resident(psutil.Process(os.getpid()))))
        tell(
            f"spool memory: {tenth + 1} of {TENTHS} tenths, {time.monotonic() - began:.0f} s: "
            f"MB reading {sizes[-1][0]:.1f}, appending {sizes[-1][1]:.1f}"
        )
    writer.close()
    growth = max(map(grown, zip(*sizes, strict=True)))
    values = {
        "events": events,
        "MB reading": [round(one[0], 1) for one in sizes],
        "MB appending": [round(one[1], 1) for one in sizes],
        "growth": round(growth, 3),
        "flat": growth <= FLAT,
        "left": running_app.left(),
        "seconds": round(time.monotonic() - began, 1),
        "exit": listening.stop(),
    }
    return judged("spool memory", values, flat=True, left=0, exit=0)


def _worker(children: list[psutil.Process]) -> float:
    return sum(map(_resident, children))


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
