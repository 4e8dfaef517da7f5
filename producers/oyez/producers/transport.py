"""How an announced event leaves the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:  # who announces in no transaction needs no SQLAlchemy
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

    from .errors import TransportRefused

Database: TypeAlias = "Session | Connection | scoped_session[Session]"
"""What events can join the transaction of."""


AsyncDatabase: TypeAlias = "AsyncSession | AsyncConnection | async_scoped_session[AsyncSession]"
"""The same, in asyncio."""

Encoded = tuple[str, bytes | None, bytes]
"""An event as it is handed to a transport: topic, key, and bytes."""


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
class TakesMany(Protocol):
    """A transport that takes many events sooner than one after the other: with one write, or one wait."""

    def send_many(self, events: Sequence[Encoded]) -> Sequence[TransportRefused | None]:
        """Take events, in this order. For each: None, it was taken; or the error that `send` would have raised."""


@runtime_checkable
class Resumes(Protocol):
    """A transport that may find what an earlier process has left."""

    def resume(self) -> None:
        """Begin to send that, in the background; else it is sent once something is announced."""


@runtime_checkable
class ReportsFailures(Protocol):
    """A transport that takes events first and may find out later that they did not arrive."""

    def report_to(self, report: Callable[[bytes, str], None]) -> None:
        """Call `report(value, reason)`, from any thread, for each event that was taken and did not arrive."""
