"""Where a group is to go on: what `--to` of `oyez rewind` says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from ...reports import Ends, Offsets
from ..common.exits import UsageProblem
from .deliveries_filter import SECONDS

Place = Callable[[Offsets, Ends], dict[int, int]]
"""The offset in each partition of a log."""
_AGE = re.compile(rf"\d+(\.\d+)?[{''.join(SECONDS)}]")


def place_of(text: str, now: float) -> Place:
    """What ``text`` means at ``now``, in seconds since the epoch. Raises `UsageProblem`."""
    if text == "earliest":
        return lambda _offsets, log: {n: one.low for n, one in log.partitions.items()}
    if text == "latest":
        return lambda _offsets, log: {n: one.high for n, one in log.partitions.items()}
    if text.isascii() and text.isdigit():
        return lambda _offsets, log: dict.fromkeys(log.partitions, int(text))
    return _at(_time(text, now))


def _at(moment: float) -> Place:
    def find(offsets: Offsets, log: Ends) -> dict[int, int]:
        found = offsets.at(log, moment)
        return {n: one.high if (at := found[n]) is None else at for n, one in log.partitions.items()}

    return find


def _time(text: str, now: float) -> float:
    if _AGE.fullmatch(text):
        return now - float(text[:-1]) * SECONDS[text[-1]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageProblem(
            f"--to {text}: write earliest, latest, an offset, a time such as 2026-07-01T12:00:00Z, or an age such as "
            f"10m, 2h or 3d"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
