"""The collector: the door for events from outside, of browsers and of other systems, over HTTP."""

from functools import partial
from typing import TYPE_CHECKING

from ..extras import extra
from ..when_used import names_when_used

if TYPE_CHECKING:
    from .app import collector
    from .serving import listening, server
    from .settings import CollectSettings

__all__ = ["CollectSettings", "collector", "listening", "server"]

web = partial(extra, "web", "anyio", "h11", "starlette", "uvicorn", needs="Starlette and uvicorn")

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "CollectSettings": ".settings",
            "collector": ".app",
            "listening": ".serving",
            "server": ".serving",
        },
        partial(web, who=__name__),
    )
