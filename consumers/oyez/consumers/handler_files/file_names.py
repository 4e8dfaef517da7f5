"""What the names of files say: which are event files, and for which signal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from oyez.schemas import Catalogue
from oyez.schemas.declaration import Declaration

_NUMBERED = re.compile(r"([0-9]+)(?:[-_.].*)?", re.DOTALL)
_FLAG = ("-", "_", ".")
"""What stands between the signal and the rest of a name."""


def event_files(entries: Iterable[Path]) -> list[Path]:
    """The event files among a folder's entries, in the order in which they run: that of their names' code points,
    the same on every machine. What begins with ``_`` or ``.`` is none."""
    found = [one for one in entries if one.suffix == ".py" and one.name[0] not in "_." and not one.is_dir()]
    return sorted(found, key=lambda one: one.name)


def signal_of(file: Path, signals: Catalogue) -> Declaration:
    """The signal whose number a file's name begins with, or else the longest name of one that fits. Raises
    `UnknownSignal`."""
    stem = file.stem
    numbered = _NUMBERED.fullmatch(stem)
    if numbered is not None:
        return signals[int(numbered[1])]
    fitting = [one for one in signals if stem == one.name or stem.startswith(_begun(one))]
    return max(fitting, key=lambda one: len(one.name), default=None) or signals[stem]


def _begun(declaration: Declaration) -> tuple[str, ...]:
    return tuple(declaration.name + mark for mark in _FLAG)
