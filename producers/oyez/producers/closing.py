"""Closing an announcer where nobody is there to be told what did not arrive."""

from oyez.schemas import OyezError

from .announcer import Announcer
from .loggers import logger_named
from .made_when_used import MadeWhenUsed

log = logger_named("oyez.announcer")


def closed(announcer: MadeWhenUsed[Announcer]) -> None:
    """Let what was announced arrive, if an announcer was made, and let go of it. What did not arrive is logged."""
    made = announcer.take()
    try:
        if made is not None:
            made.close()
    except OyezError as error:
        log.error("at the end: %s", error)
