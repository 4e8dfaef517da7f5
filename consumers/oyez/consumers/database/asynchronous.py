"""What an ``async def`` handler gets: SQLAlchemy's asynchronous faces of the session and the connection that a ``def``
would get. What is refused to the one is refused to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .connection import HandlerConnection
from .session import HandlerSession

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session


def session(db: HandlerSession) -> AsyncSession:
    """The asynchronous face of a session."""
    from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415 # needs greenlet, which is an extra

    def same(**_: Any) -> HandlerSession:
        return db

    return AsyncSession(sync_session_class=cast("type[Session]", same))


def connection(db: HandlerConnection) -> AsyncConnection:
    """The asynchronous face of a connection."""
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine  # noqa: PLC0415 # as above

    return AsyncConnection(AsyncEngine(db.engine), db)
