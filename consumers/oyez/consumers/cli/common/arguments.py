"""What no argument of any command may be, whatever it is for."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import typer

from ...core.numerals import MOST

LONGEST = 1e9
"""Seconds, about 30 years: the clocks of operating systems cannot wait for many times as long."""


_MAY_NAME_A_FILE = "@FILE"
"""In what an argument is called: names of files are bytes, and what else it may be is checked as what it is."""
_OF_A_SETTING = "[OYEZ_"
"""In the help of an option that sets a setting: of these some may be set to nothing."""


def check_arguments(context: Any) -> None:
    """Refuse, in typer's way, an argument of this command that neither a database nor Kafka could be asked for."""
    for param in context.command.params:
        if _MAY_NAME_A_FILE in (param.metavar or ""):
            continue
        for value in _each(context.params.get(param.name)):
            if (why := _flaw(value) or _nothing(param, value)) is not None:
                raise typer.BadParameter(why, ctx=context, param=param)


def _each(value: object) -> Iterator[object]:
    if isinstance(value, list | tuple):
        yield from value
    else:
        yield value


def _flaw(value: object) -> str | None:
    if isinstance(value, str):
        return _no_utf8(value)
    if isinstance(value, int):
        return None if -MOST <= value <= MOST else f"{value} is beyond {MOST}, a database's highest number."
    if isinstance(value, float):
        return None if isfinite(value) and value <= LONGEST else f"{value} is beyond {LONGEST:.0f} seconds."
    return None


def _nothing(param: Any, value: object) -> str | None:
    """What a script gives whose variable is not set chooses nothing, and never all there is."""
    if value != "" or _OF_A_SETTING in (getattr(param, "help", None) or ""):
        return None
    return f"it is empty; say what is meant{'' if param.required else ', or leave it out'}."


def _no_utf8(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"character {error.start + 1} of {text!r} is not UTF-8."
    return None
