"""PostgreSQL's text for an array of one dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast


def array_text(values: Sequence[object]) -> str:
    """The array of these texts, numbers or booleans, of which some may be None."""
    if not values:
        return "{}"
    try:
        joined = '","'.join(cast("Sequence[str]", values))
    except TypeError:  # they are not all texts
        return f"{{{','.join(map(_written, values))}}}"
    if "\\" in joined or joined.count('"') > 2 * (len(values) - 1):
        return f"{{{','.join(map(_written, values))}}}"
    return f'{{"{joined}"}}'


def _written(value: object) -> str:
    if isinstance(value, str):
        return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    return "NULL" if value is None else str(value)
