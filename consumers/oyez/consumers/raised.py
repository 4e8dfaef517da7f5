"""What the user's code raised, in one line."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from pathlib import Path

OURS = Path(__file__).parent


def in_one_line(error: BaseException) -> str:
    """The error, with the place in the user's code that raised it."""
    if isinstance(error, SyntaxError):
        message, place = error.msg, (error.filename, error.lineno)
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
        own = [frame for frame in frames if not _is_library(frame.filename)] or frames
        message, place = str(error), (own[-1].filename, own[-1].lineno) if own else (None, None)
    said = ": ".join(filter(None, [type(error).__name__, " ".join(message.split())]))
    where = ", line ".join(str(part) for part in place if part is not None)
    return f"{said} ({where})" if where else said


def _is_machinery(file: str) -> bool:
    path = Path(file)
    return file.startswith("<") or path == Path(importlib.__file__ or "") or path.is_relative_to(OURS)


def _is_library(file: str) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in set(sysconfig.get_paths().values()))
