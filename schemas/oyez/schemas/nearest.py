"""The name that was probably meant by one that is none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

NEAR = 0.7
"""How alike two names are, at least; 1 is the same."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The nearest of these names, whatever its case; None if none is near."""
    by_small = {one.casefold(): one for one in names}
    found = get_close_matches(name.casefold(), sorted(by_small), n=1, cutoff=NEAR)
    return by_small[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """What is added to a message that there is no such name; nothing if none is near."""
    found = nearest(name, names)
    return "" if found is None else f"; did you mean {found}?"


def meant_or_all(name: str, names: Iterable[str]) -> str:
    """The nearest of these names as a question; else all that there are, each once."""
    known = list(dict.fromkeys(names))
    found = nearest(name, known)
    return f"it has {', '.join(known)}" if found is None else f"did you mean {found}?"
