"""For FastAPI: what there is for Starlette, and the dependencies that give an endpoint its announcer."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from . import starlette
from .announcer import Announcer
from .async_announcer import AsyncAnnouncer
from .starlette import announcing, in_session

__all__ = ["AnnouncerDep", "AnnouncerInThreadsDep", "announcing", "in_session"]


async def _in_loop(connection: HTTPConnection) -> AsyncAnnouncer:
    return starlette.announcer_of(connection)


def _in_threads(connection: HTTPConnection) -> Announcer:
    return starlette.announcer_in_threads(connection)


AnnouncerDep = Annotated[AsyncAnnouncer, Depends(_in_loop)]
"""The announcer, for an `async def` endpoint."""

AnnouncerInThreadsDep = Annotated[Announcer, Depends(_in_threads)]
"""The announcer, for a `def` endpoint."""
