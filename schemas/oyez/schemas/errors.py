"""What can go wrong. Each message is one line: what, where, what to do."""

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHOWN = 5


class OyezError(Exception):
    """The root of every error that Oyez raises."""


class SchemaError(OyezError):
    """A signal is declared wrongly: a name is taken, a field does not exist, requirements form a cycle."""


class UnknownSignal(OyezError):
    """No signal of that name, number or class is in the catalogue."""


class InvalidEvent(OyezError):
    """An event that may not be announced: the message says what in its data, key or subject is wrong."""


class Undecodable(OyezError):
    """A record that is no event of ours: `reason` says in one line why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reasons(error: ValidationError) -> str:
    """One line for a pydantic error: `field: reason; field: reason`, the first five of them."""
    return reasons_of(error.errors(include_url=False, include_context=False, include_input=False))


def reasons_of(found: Sequence[ErrorDetails]) -> str:
    """The same of what pydantic has found."""
    lines = [": ".join(filter(None, (_path(one["loc"]), _one_line(one["msg"])))) for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    return "; ".join(lines)


def _path(location: tuple[int | str, ...]) -> str:
    return _one_line(".".join(str(part) for part in location))


def _one_line(text: str) -> str:
    return " ".join(text.split())
