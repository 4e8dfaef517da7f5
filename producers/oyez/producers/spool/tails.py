"""What a process that died while it appended leaves behind: the beginning of a line."""

from __future__ import annotations

import os

from pydantic_core import from_json

from ..loggers import logger_named

log = logger_named("oyez.spool")

_BLOCK = 64 * 1024


def repair(file: int) -> int:
    """See that a segment ends with a whole line, or is empty; returns its size. Under the folder's lock only.

    The beginning of a line belongs to an event whose ``announce()`` never returned. It is taken away; if only the line
    feed is missing, that is added.
    """
    size, begin = os.fstat(file).st_size, whole(file)
    if begin == size:
        return size
    if _is_whole(os.pread(file, size - begin, begin)):
        return size + os.write(file, b"\n")
    os.ftruncate(file, begin)
    log.warning("the spool: %d bytes of a record that was not finished were taken away", size - begin)
    return begin


def whole(file: int) -> int:
    """The size of a segment without a last line that is not finished."""
    end = os.fstat(file).st_size
    if end and os.pread(file, 1, end - 1) == b"\n":
        return end
    while end:
        begin = max(0, end - _BLOCK)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False
