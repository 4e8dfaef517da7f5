"""JSON that any reader of JSON takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from math import isfinite


def json_text(
    value: object, *, default: Callable[[object], object], is_ascii: bool = True, indent: int | None = None
) -> str:
    """A value as JSON; ``default`` says how something is written that has no form in it. JSON has no number for
    infinity and NaN, as other producers write them: these become texts."""
    try:
        return json.dumps(value, default=default, ensure_ascii=is_ascii, indent=indent, allow_nan=False)
    except ValueError:
        known = partial(_default_without, default)
        return json.dumps(_without(value), default=known, ensure_ascii=is_ascii, indent=indent)


def _default_without(default: Callable[[object], object], value: object) -> object:
    return _without(default(value))


def _without(value: object) -> object:
    """The same without numbers that JSON does not have."""
    if isinstance(value, float) and not isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict):
        return {name: _without(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without(one) for one in value]
    return value
