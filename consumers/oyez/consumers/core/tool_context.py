"""What the tools of a handler know of where they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oyez.schemas import Catalogue

if TYPE_CHECKING:  # whoever registers handlers reads no settings
    from oyez.producers import Settings

Passing = Callable[[float], Callable[[], float]]
"""Given the time (seconds since the epoch), a clock that goes on from there, and asks no database."""


@dataclass(slots=True)
class ToolContext:
    """One transaction of a group of ``app``. ``clock`` gives seconds since the epoch; ``announced`` counts the events
    that handlers have put into the outbox."""

    app: str
    settings: Settings
    signals: Catalogue
    clock: Callable[[], float]
    announced: int = 0
