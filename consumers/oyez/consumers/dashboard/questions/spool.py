"""What is in the spool on this machine, and what was not shipped yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oyez.producers.spool import SpoolError, is_folder

from ...logs.spool.folders import spools_read
from ...reports import SpoolState
from ...reports.spool_states import states_below
from ...settings import ListenSettings

LOGS = 200
"""Logs that are looked at, at most."""


@dataclass(frozen=True)
class Spool:
    """``roots`` are where logs were looked for, ``unreadable`` what could not be read, a line each. ``left``: how many
    logs were not looked at."""

    roots: Sequence[Path]
    states: Sequence[SpoolState]
    unreadable: Sequence[str]
    left: int


def spool_of(settings: ListenSettings) -> Spool:
    """The logs that this process can see. What cannot be read is said, and holds up nothing else."""
    roots, unreadable = [], []
    try:
        wanted = spools_read(settings)
    except SpoolError as error:
        return Spool([], [], [str(error)], 0)
    for root in wanted:
        try:
            roots += [root] if is_folder(root) else []
        except SpoolError as error:
            unreadable.append(str(error))
    found = states_below(roots, settings.topic, time.time(), LOGS)
    return Spool(roots, found.states, [*unreadable, *found.unreadable], found.left)
