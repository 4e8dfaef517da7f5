"""Connections on which a request has to arrive in time, and its answer has to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from .origins import Readers

LINE = b"the request came too slowly; send it again\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain\r\nconnection: close\r\n"


class Bounded(H11Protocol):
    """uvicorn has limits for what comes after an answer only: who connects and says nothing, or says it a letter at a
    time, would be listened to for ever, and who does not read answers would be waited for. `seconds`, for a head, again
    for a body, and for each pause of an answer, and the `readers` of an answer are set by a subclass. A request that
    comes in one piece costs no timer."""

    seconds: float
    readers: Readers
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        arrives = self._is_arriving()
        if self.cycle is not before or not arrives:  # the head is whole, or the body
            self._stop_waiting()
        if arrives and self._timer is None:
            self._wait()

    def on_response_complete(self) -> None:
        """The next request may have come with this one, and its body not yet."""
        before = self.cycle
        super().on_response_complete()
        if self.cycle is not before and self._is_arriving() and self._timer is None:
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_minding()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_minding()
        super().connection_lost(exc)

    def _is_arriving(self) -> bool:
        """Whether a part of a request is there, and not all of it."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._end)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_minding(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _end(self) -> None:
        self._timer = None
        if self._is_arriving() and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
                self.transport.write(_late(self._readers_of_it()))
            self.transport.close()

    def _readers_of_it(self) -> Mapping[str, str]:
        """The headers for whoever asks; of who has not ended the head nothing is known."""
        if self.cycle is None or self.cycle.response_complete:
            return {}
        return self.readers.headers(Request(dict(self.cycle.scope)))


def _late(headers: Mapping[str, str]) -> bytes:
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return LATE + said.encode("latin-1") + b"content-length: %d\r\n\r\n%s" % (len(LINE), LINE)


def bounded(seconds: float, readers: Readers) -> type[asyncio.Protocol]:
    """The protocol of connections on which a head has so many seconds, and a body too."""
    kind: Any = type("Bounded", (Bounded,), {"seconds": seconds, "readers": readers})
    found: type[asyncio.Protocol] = kind
    return found
