"""The collector: the door for events from outside, of browsers and of other systems, over HTTP."""

from typing import TYPE_CHECKING

from ..when_used import names_when_used

if TYPE_CHECKING:
    from .app import collector
    from .serving import listening, server
    from .settings import CollectSettings

__all__ = ["CollectSettings", "collector", "listening", "server"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "CollectSettings": ".settings",
            "collector": ".app",
            "listening": ".serving",
            "server": ".serving",
        },
    )
