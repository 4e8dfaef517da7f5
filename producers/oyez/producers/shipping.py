"""Handing events that are kept elsewhere over to a transport, and knowing which of them it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .errors import TransportRefused
from .transport import Lasting, ReportsFailures, Transport


class Outgoing(NamedTuple):
    """An event on its way out, encoded."""

    topic: str
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Shipped:
    """What became of some events: the first `count` have arrived; `reason` is why the one after them has not, None if
    all have."""

    count: int
    reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the event at `count` is refused for what it is, and would be again."""
        return isinstance(self.reason, Lasting)


class Shipper:
    """Ships events over a transport that nobody else uses meanwhile."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._failed: dict[bytes, str] = {}
        if isinstance(transport, ReportsFailures):
            transport.report_to(self._note)

    def ship(self, events: Sequence[Outgoing], timeout: float) -> Shipped:
        """Send them in order, and wait, `timeout` seconds at most, until they have arrived.

        What comes after the first that did not arrive may have arrived all the same: it is to be sent again.
        """
        self._failed.clear()
        sent, refused = 0, None
        for event in events:
            try:
                self._transport.send(*event)
            except TransportRefused as error:
                refused = error.reason
                break
            sent += 1
        self._transport.flush(timeout)
        for count, event in enumerate(events[:sent]):
            if event.value in self._failed:
                return Shipped(count, self._failed[event.value])
        return Shipped(sent, refused)

    def close(self, timeout: float) -> None:
        """Let go of the transport."""
        self._transport.close(timeout)

    def _note(self, value: bytes, reason: str) -> None:
        self._failed[value] = reason
