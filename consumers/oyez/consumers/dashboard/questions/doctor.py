"""What the doctor finds: the checks of `oyez doctor`, as this process sees them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...doctor.check import Result
from ...doctor.examination import examine
from ...doctor.setup import Setup
from ..common.asked import Board
from .settings import settings_of


@dataclass(frozen=True)
class Examined:
    """What was found, when (aware, in UTC), and how much of it in each state."""

    at: datetime
    results: Sequence[Result]
    counts: Mapping[str, int]


def examined(board: Board) -> Examined:
    """What was found lately. A check takes seconds where a service does not answer: however many ask, it is looked
    once, and not again for ten times as long. Raises `SettingsError` for a file of settings that cannot be read."""
    return board.recent.answer("doctor", lambda: _examined(board))


def _examined(board: Board) -> Examined:
    setup = Setup(settings_of(board.settings), board.settings, board.application, wall=time.time)
    try:
        results = list(examine(setup))
    finally:
        setup.close()
    return Examined(datetime.now(UTC), results, Counter(one.state for one in results))
