"""Where a group is to go on: what `--to` of `oyez rewind` says."""

from __future__ import annotations

from collections.abc import Callable

from ...core.numerals import number_of
from ...reports import Ends, Offsets
from ..common.ages import moment_of
from ..common.errors import UsageProblem

Place = Callable[[Offsets, Ends], dict[int, int]]
"""The offset in each partition of a log."""


def place_of(text: str, now: float) -> Place:
    """What ``text`` means at ``now``, in seconds since the epoch. Raises `UsageProblem`."""
    if text == "earliest":
        return lambda _offsets, log: {n: one.low for n, one in log.partitions.items()}
    if text == "latest":
        return lambda _offsets, log: {n: one.high for n, one in log.partitions.items()}
    if (offset := number_of(text)) is not None:
        return lambda _offsets, log: dict.fromkeys(log.partitions, offset)
    moment = moment_of(text, now)
    if moment is None:
        raise UsageProblem(
            f"--to {text}: write earliest, latest, an offset, a time such as 2026-07-01T12:00:00Z, or an age such as "
            f"10m, 2h or 3d"
        )
    return _at(moment)


def _at(moment: float) -> Place:
    def find(offsets: Offsets, log: Ends) -> dict[int, int]:
        found = offsets.at(log, moment)
        return {n: one.high if (at := found[n]) is None else at for n, one in log.partitions.items()}

    return find
