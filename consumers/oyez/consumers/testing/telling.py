"""What a failed test is told of its kit."""

from __future__ import annotations

from collections.abc import Iterator

from oyez.schemas import OyezError

from .kits import Kit
from .ran import NOTHING


def told(kit: Kit, option: str) -> str:
    """What waits, what is scheduled, what was given up, with where it was raised, and how ``option`` repeats the orders
    of its runs."""
    try:
        lines = list(_lines(kit))
    except OyezError as error:
        lines = [f"its database cannot be read: {error}"]
    seeds = [run.seed for run in kit.runs if run.seed is not None]
    if seeds:
        lines.append(
            f"order='any' had the seeds {', '.join(map(str, seeds))}: repeat with {option}={kit.first_seed}"
        )
    return "\n".join(lines or ["nothing waits, and nothing was given up"])


def _lines(kit: Kit) -> Iterator[str]:
    for delivery in (*kit.parked, *kit.dead):
        yield repr(delivery)
        yield from (f"    {line}" for line in (delivery.error or "").splitlines()[1:])
    yield from map(repr, kit.scheduled)
    for run in kit.runs[-1:]:
        yield from (f"{group} is left: {why}" for group, why in run.broken.items())
        yield from (NOTHING,) if run.idle else ()
