"""Puts this process's wall clock off by the seconds that a file has; whoever imports `time` afterwards has no other."""

from __future__ import annotations

import os
import time
from pathlib import Path

_right, _off = time.time, Path(os.environ["WALL_CLOCK_OFF"])


def _wrong() -> float:
    return _right() + float(_off.read_text())


time.time = _wrong
time.time_ns = lambda: int(_wrong() * 1e9)
