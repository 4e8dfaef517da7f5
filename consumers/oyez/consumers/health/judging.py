"""What is to be made of heartbeats: who does not get on, and why. Only the standard library is imported here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .beat import Beat, is_alive, read
from .folder import MAIN

BEGUN = frozenset(("working", "resting"))
"""What a process is about once it has its part of the work."""
MOMENT = "(wait a moment)"
FROZEN = 30.0  # s; a process beats every second, on a machine that is very busy less often


def frozen_after(limit: float) -> float:
    """Seconds without a beat that are too many for a process with this limit."""
    return min(FROZEN, limit)


class Problem(NamedTuple):
    """Why a process is not as it should be. ``is_stuck``: it will not get on by itself, and a new one may.
    ``has_begun``: it runs, and has its part of the work."""

    name: str
    reason: str
    is_stuck: bool
    has_begun: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def problems_in(folder: str, now: float) -> list[Problem]:
    """The problems of a command: of its main process, then of each worker."""
    found = {name: read(os.path.join(folder, name)) for name in _files(folder) or [MAIN]}  # noqa: PTH118
    main = found.get(MAIN)
    if main is not None and main.doing == "stopping":
        return [Problem(MAIN, "it was told to stop", is_stuck=False, has_begun=False)]
    silent = [_named(file) for file, beat in found.items() if beat is None]
    beats = [beat for beat in found.values() if beat is not None]
    unheard = [Problem(name, "it has no heartbeat", is_stuck=False, has_begun=False) for name in silent]
    return [*unheard, *problems(beats, now)]


def _named(file: str) -> str:
    return file if file == MAIN else f"worker {file}"


def problems(beats: Iterable[Beat], now: float) -> Iterator[Problem]:
    """What is wrong, now, with the processes of these beats."""
    for beat in beats:
        if not is_alive(beat.pid, beat.born):
            yield Problem(beat.name, beat.why or "it does not run", is_stuck=False, has_begun=False)
        elif now - beat.at > frozen_after(beat.limit):
            reason = f"it says nothing for {now - beat.at:.0f} s: it is frozen, or what it calls lets nothing else run"
            yield Problem(beat.name, reason, is_stuck=True, has_begun=beat.doing in BEGUN)
        else:
            for reason, is_stuck in _of_running(beat, now):
                yield Problem(beat.name, reason, is_stuck, has_begun=beat.doing in BEGUN)


def _of_running(beat: Beat, now: float) -> Iterator[tuple[str, bool]]:
    """What is wrong with it, and whether it is stuck."""
    for line in beat.halted:
        yield line, False
    hangs = beat.is_in_handler and now - beat.turned > beat.limit
    if beat.waits and not hangs:
        yield beat.waits, False
    elif beat.doing == "starting" and now - beat.since <= beat.limit:
        yield f"it starts {MOMENT}", False
    elif beat.doing != "resting" and now - beat.turned > beat.limit:
        yield _why_it_does_not_turn(beat, now), True
    elif beat.doing == "joining":
        is_long = now - beat.since > beat.limit
        lasts = (
            f"its join lasts for {now - beat.since:.0f} s and does not end"
            if is_long
            else f"it joins its group {MOMENT}"
        )
        yield (f"{lasts}: {beat.why}" if beat.why else lasts), is_long
    elif beat.doing == "working" and not beat.halted and now - beat.progress > beat.limit:
        reason = (
            f"it has not got on for {now - beat.progress:.0f} s: {beat.why or 'its log does not say why'}"
        )
        yield reason, True


def _why_it_does_not_turn(beat: Beat, now: float) -> str:
    seconds = f"{now - beat.turned:.0f} s"
    where = f"; it is in {beat.why}" if beat.why else ""
    if beat.is_in_handler:
        return f"a handler has not returned for {seconds}{where}"
    return f"it has not come round for {seconds}{where}"


def _files(folder: str) -> list[str]:
    """The main process's first, then those of the workers in their order."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 # pathlib is not cheap
    except OSError:
        return []
    return sorted(names, key=lambda name: (name != MAIN, len(name), name))
