"""Where a thread is."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import FrameType


def place_of(frame: FrameType) -> str:
    """Where a thread is, in a few words: the innermost functions, from within."""
    found = traceback.extract_stack(frame, 40)
    return ", from ".join(
        f"{one.name} ({Path(one.filename).name}:{one.lineno})" for one in reversed(found[-4:])
    )


def passes_through(frame: FrameType | None, file: str) -> bool:
    """Whether a thread has been called from within this file."""
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame is not None
