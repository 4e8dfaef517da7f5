"""Where events are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from oyez.schemas import OyezError

from ..announcer import Stamped
from ..async_announcer import AsyncAnnouncer
from ..errors import NotAnnounced, Undelivered
from ..transport import Resumes, Transport
from .answers import AGAIN, Refused
from .events import reason_of


class Store(Protocol):
    """Keeps events."""

    async def keep(self, events: Sequence[Stamped]) -> Sequence[str | None]:
        """Keep events, in this order. For each: None, it is stored; or why it is not known to be. Refused: none of them
        is taken."""

    def begin(self) -> None:
        """Take up what an earlier process has left."""

    async def aclose(self) -> None:
        """Let what was taken be stored."""


class AnnouncingStore:
    """Announces them. What comes at once shares one flush."""

    def __init__(self, transport: Transport, announcer: AsyncAnnouncer, pending: int) -> None:
        """`transport` is the announcer's; `pending` events may wait at once, at most."""
        self._transport = transport
        self._announcer = announcer
        self._room = pending

    async def keep(self, events: Sequence[Stamped]) -> Sequence[str | None]:
        if len(events) > self._room:
            raise Refused(503, "too many events wait to be stored; send it again later", AGAIN)
        self._room -= len(events)
        try:
            if len(events) == 1:
                return [await self._one(events[0])]
            return await asyncio.gather(*map(self._one, events))
        finally:
            self._room += len(events)

    def begin(self) -> None:
        """An announcing application sends what was left with its next event. Here, nobody may come for a while."""
        if isinstance(self._transport, Resumes):
            self._transport.resume()

    async def aclose(self) -> None:
        await self._announcer.aclose()

    async def _one(self, event: Stamped) -> str | None:
        try:
            await self._announcer.pass_on(event)
        except (NotAnnounced, Undelivered) as error:
            return getattr(error, "reason", None) or str(error)
        except OyezError as error:
            return reason_of(error)
        return None
