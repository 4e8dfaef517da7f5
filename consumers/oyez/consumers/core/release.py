"""What became due because prerequisites were met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oyez.schemas.declaration import Prerequisite


@dataclass(frozen=True, slots=True)
class Release:
    """In one transaction: the prerequisites that were ``met``; the group of each delivery that was ``released``, of
    which so many were dead letters (``revived``); and the ``traceparents`` of the events that met them, if they have
    some."""

    met: Sequence[Prerequisite]
    released: Sequence[str]
    revived: int
    traceparents: Sequence[str]


OnRelease = Callable[[Release], None]
"""It is told before the transaction is committed."""
