"""Connections that begin a request have to end its head in time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

LATE = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 44\r\n\r\n"
    b"the head of the request came too slowly now\n"
)


class Bounded(H11Protocol):
    """uvicorn has limits for what comes after an answer only: who connects and says nothing, or says it a letter at a
    time, would be listened to for ever. `seconds` is set by a subclass."""

    seconds: float
    _until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        if self._until is None and (before is None or before.response_complete):
            self._wait()
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._until = self.loop.call_later(self.seconds, self._end)

    def _stop_waiting(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _end(self) -> None:
        self._until = None
        if not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()


def bounded(seconds: float) -> type[asyncio.Protocol]:
    """The protocol of connections that have so many seconds for a head."""
    kind: Any = type("Bounded", (Bounded,), {"seconds": seconds})
    found: type[asyncio.Protocol] = kind
    return found
