"""What the tools of a handler know of where they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oyez.schemas import Catalogue

MAIL_SIZE = 10 * 1024 * 1024


@dataclass(slots=True)
class ToolContext:
    """One transaction of a group of ``app``. ``clock`` gives seconds since the epoch, ``topic`` is for signals without
    one of their own, ``mail_size`` is how many bytes a mail may have; ``announced`` counts the events that handlers
    have put into the outbox."""

    app: str
    topic: str
    signals: Catalogue
    clock: Callable[[], float]
    mail_size: int = MAIL_SIZE
    announced: int = 0
