"""How an announced event leaves the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:  # who announces in no transaction needs no SQLAlchemy
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

Database: TypeAlias = "Session | Connection"
"""What events can join the transaction of."""


class Lasting(str):
    """Why an event was not taken, where that is the event's own fault: it will not be taken later either."""

    __slots__ = ()


class Transport(Protocol):
    """Takes encoded events. Many threads may use it at once."""

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event. TransportRefused: it cannot."""

    def flush(self, timeout: float) -> None:
        """Wait, at most `timeout` seconds, until what was taken has arrived or failed. What has not arrived
        by then is given up as failed."""

    def close(self, timeout: float) -> None:
        """flush(), and let go of everything. May be called twice."""


@runtime_checkable
class JoinsTransaction(Protocol):
    """A transport that takes an event as part of the caller's database transaction itself, instead of in the outbox."""

    def send_in(self, db: Database, topic: str, key: bytes | None, value: bytes) -> None:
        """Take one event; it counts only if the transaction of `db` commits."""


@runtime_checkable
class ReportsFailures(Protocol):
    """A transport that takes events first and may find out later that they did not arrive."""

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        """Call `report(value, reason)`, from any thread, for each event that was taken and did not arrive."""
