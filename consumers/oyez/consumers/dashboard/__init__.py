"""The dashboard: pages in a browser that show what the reports say, and do what the commands do."""

from functools import partial
from typing import TYPE_CHECKING

from oyez.producers.extras import extra
from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .app import dashboard
    from .common.access import Access

__all__ = ["Access", "dashboard"]

web = partial(
    extra, "web", "anyio", "h11", "jinja2", "starlette", "uvicorn", needs="Starlette, Jinja and uvicorn"
)

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__, {"Access": ".common.access", "dashboard": ".app"}, partial(web, who=__name__)
    )
