"""What stands in a log in the place of an event that was forgotten: one of the same length that says nothing."""

from __future__ import annotations

SIGNAL = "oyez.forgotten"
"""Its type. No signal has this name, so groups skip it; it is neither shipped nor announced again."""
_HEAD = b'{"specversion":"1.0","type":"%s","source":"oyez","id":"0","data":{' % SIGNAL.encode()
_TAIL = b"}}"


def blank(size: int) -> bytes | None:
    """An event of so many bytes that says nothing; None if that is too short for one."""
    spaces = size - len(_HEAD) - len(_TAIL)
    return None if spaces < 0 else _HEAD + b" " * spaces + _TAIL


def is_blank(line: bytes) -> bool:
    """Whether a line is such an event."""
    return line.startswith(_HEAD)
