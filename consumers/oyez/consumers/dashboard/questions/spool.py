"""What is in the spool on this machine, and what was not shipped yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oyez.producers.spool import SpoolError, found_in

from ...logs.spool.folders import spools_read
from ...reports import SpoolState, state_of
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
    unreadable: list[str] = []
    try:
        roots = [root for root in spools_read(settings) if root.is_dir()]
        folders = found_in(roots, settings.topic, lambda error: unreadable.append(str(error)))
    except SpoolError as error:
        return Spool([], [], [str(error)], 0)
    states = []
    for folder in folders[:LOGS]:
        try:
            states.append(state_of(folder, time.time()))
        except OSError as error:
            unreadable.append(f"{error.filename or folder.path} cannot be read: {error.strerror}")
    return Spool(roots, states, unreadable, max(0, len(folders) - LOGS))
