"""When an event is to be announced, as `at=` and `after=` say; and what takes such events until then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from oyez.schemas import InvalidEvent

LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""RFC 3339 has no later year."""

NO_DATABASE = "what is announced later is kept in the database: give db=, whose transaction it joins"


@dataclass(frozen=True, slots=True)
class When:
    """``at`` a moment, in seconds since the epoch, or so many seconds ``after`` now."""

    at: float | None
    after: float = 0.0

    @classmethod
    def of(cls, at: datetime | None, after: timedelta | None) -> When:
        """As announce() was told. InvalidEvent: it does not say when."""
        if at is not None and after is not None:
            raise InvalidEvent("announce: at= is a moment, after= the time until then; give one of them")
        if after is not None:
            if not isinstance(after, timedelta):
                raise InvalidEvent(f"announce: after= must be a timedelta, not {type(after).__name__}")
            return cls(None, after.total_seconds())
        return cls(moment("at", at))

    def due(self, now: float) -> float:
        """The moment, in seconds since the epoch. InvalidEvent: there is no such moment."""
        due = now + self.after if self.at is None else self.at
        if due > LATEST:
            raise InvalidEvent("announce: that is later than the year 9999")
        return due


def moment(name: str, given: object, kinds: str = "a datetime with a zone") -> float:
    """What announce() was given as a moment, in seconds since the epoch. InvalidEvent: it is none; ``kinds`` says what
    else it might have been."""
    if not isinstance(given, datetime):
        raise InvalidEvent(f"announce: {name}= must be {kinds}, not {type(given).__name__}")
    if given.utcoffset() is None:
        raise InvalidEvent(
            f"announce: {name}={given.isoformat()} has no zone; write datetime(…, tzinfo=UTC), or "
            f"{name}.astimezone() for this machine's zone"
        )
    return given.timestamp()


def nanoseconds(moment: float) -> int:
    """Seconds since the epoch as nanoseconds, to the microsecond: a float has no more."""
    return round(moment * 1e6) * 1000


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An event that is announced later, at ``due_at``; it was written down at ``scheduled_at``. Both are in seconds
    since the epoch."""

    topic: str
    key: bytes | None
    value: bytes
    signal: str
    source: str
    event_id: str
    subject: str | None
    due_at: float
    scheduled_at: float

    def row(self) -> dict[str, Any]:
        """As it is inserted."""
        return {
            "topic": self.topic,
            "key": None if self.key is None else self.key.decode(),
            "value": self.value,
            "signal": self.signal,
            "source": self.source,
            "event_id": self.event_id,
            "subject": self.subject,
            "due_at": self.due_at,
            "scheduled_at": self.scheduled_at,
        }


class Schedules(Protocol):
    """Takes events that are announced later, as part of the caller's transaction."""

    def now_in(self, db: Any) -> float:
        """The database's time, in seconds since the epoch. TransportRefused: it does not say."""

    def schedule_in(self, db: Any, event: Scheduled) -> None:
        """Take one. TransportRefused: the database does not."""
