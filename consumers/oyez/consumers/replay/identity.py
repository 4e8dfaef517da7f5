"""Under which id an event is announced again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from uuid import UUID

from oyez.schemas.replaying import Stored

_VERSION, _VARIANT = 8 << 76, 2 << 62
_FREE = ~(0xF << 76 | 3 << 62)

Identity = Callable[[Stored], str | None]
"""The new id of an event; None: it keeps its own."""


def kept(_event: Stored) -> None:
    """Its own: a group that has taken it does not take it again."""


def new_in(run: str) -> Identity:
    """Another one, which is the same whenever this event is announced again in this ``run``: what is repeated of a run
    that was interrupted is not handled twice."""
    return lambda event: derived("replay", run, event.source, event.origin)


def derived(*parts: str) -> str:
    """A UUIDv8 that follows from these texts."""
    number = int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:16], "big")
    return str(UUID(int=number & _FREE | _VERSION | _VARIANT))
