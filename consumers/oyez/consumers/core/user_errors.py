"""What the user's code raised, in one line."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from functools import lru_cache
from pathlib import Path
from traceback import StackSummary
from types import TracebackType

from oyez.schemas import OyezError

from .printable import printable

# Of sysconfig's paths: what else it names may have the user's code below it.
_LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
OURS = Path(__file__).parents[1]  # all that listens, not this room alone


def in_one_line(error: BaseException) -> str:
    """The error, with the place in the user's code that raised it."""
    if isinstance(error, SyntaxError):
        message, place = str(error.msg or ""), (error.filename, error.lineno)
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
        own = [frame for frame in frames if _is_users(frame.filename)] or frames
        message, place = text_of(error), (own[-1].filename, own[-1].lineno) if own else (None, None)
    said = ": ".join(filter(None, [type(error).__name__, " ".join(message.split())]))
    where = ", line ".join(str(part) for part in place if part is not None)
    return printable(f"{said} ({where})" if where else said)


def telling_frames(trace: TracebackType | None) -> StackSummary:
    """The frames of a traceback that tell most: the last two of the user's own code, and the last three of all from
    where that begins."""
    frames = list(traceback.walk_tb(trace))
    own = [n for n, (frame, _) in enumerate(frames) if _is_users(frame.f_code.co_filename)]
    last = range(max(own[0] if own else 0, len(frames) - 3), len(frames))
    telling = sorted({*own[-2:], *last})
    return StackSummary.extract(frames[n] for n in telling)


def text_of(error: BaseException) -> str:
    """The error's own text in one line: it may be of a class of the user's, whose text cannot be had."""
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001 # it is that class's own
        return "(its text cannot be had)"


def reason_of(error: BaseException) -> str:
    """Why something of the user's cannot be used: what Oyez says of it, or else what it raised itself."""
    return str(error) if isinstance(error, OyezError) else in_one_line(error)


def _is_machinery(file: str) -> bool:
    path = Path(file)
    return file.startswith("<") or path == Path(importlib.__file__ or "") or path.is_relative_to(OURS)


@lru_cache(maxsize=1000)
def _is_users(file: str) -> bool:
    return not _is_machinery(file) and not _is_library(file)


def _is_library(file: str) -> bool:
    paths = sysconfig.get_paths()
    return any(Path(file).is_relative_to(paths[name]) for name in _LIBRARIES)
