"""JSON as other readers take it: so that the type of an event is seen, whatever else is in it."""

import json
import re
from typing import Any

_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
"""A text, so that what is in it is passed over, or the beginning or end of an array or object."""


def leniently(value: bytes) -> Any:
    """The JSON in bytes that our reader refuses; None if no reader would take it.

    Numbers of any length, lone surrogates, other encodings than UTF-8, and any nesting are taken. What is read so is
    good for telling what it is, not for use: long numbers are infinite, and what is nested too deeply is null.
    """
    text = value.decode(json.detect_encoding(value), "replace")
    try:
        return _read(text)
    except RecursionError:
        shallow = _shallow(text)
        return None if shallow is None else _read(shallow)


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_int=float, strict=False)
    except ValueError:
        return None


def _shallow(text: str) -> str | None:
    """The text with null for each array or object that is in another; None if one of them does not end."""
    kept: list[str] = []
    depth = since = 0
    for found in _MARK.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            if depth == 2:  # the first is the event itself
                kept += text[since : found.start()], "null"
        elif mark in "]}":
            depth -= 1
            if depth == 1:
                since = found.end()
    return "".join([*kept, text[since:]]) if depth == 0 else None
