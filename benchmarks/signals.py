"""The signals of the benchmarks: an event of about 240 bytes on the wire."""

from __future__ import annotations

from oyez.schemas import Signal
from oyez.schemas.encoding import Encoder

KEYS = 200


class Started(Signal, name="session.started", number=1, key="session_id", subject="session_id"):
    session_id: str


class Viewed(Signal, name="page.viewed", number=3, key="session_id"):
    session_id: str
    url: str
    n: int


class Waited(Signal, name="page.waited", key="session_id", requires={Started: "session_id"}):
    session_id: str
    n: int


def views(count: int, *, signal: type[Viewed] = Viewed) -> list[Viewed]:
    """``count`` views of ``KEYS`` sessions in turn."""
    return [
        signal(session_id=f"session-{n % KEYS:06}", url=f"/shop/articles/{n % 997}", n=n)
        for n in range(count)
    ]


def encoded(events: list[Viewed] | list[Started] | list[Waited]) -> list[tuple[bytes, bytes]]:
    """(key, value) records of events, with ids that are told apart."""
    encode = Encoder("bench").encode
    return [
        (
            event.session_id.encode(),
            encode(
                event,
                id=f"0197f3a0-0000-7000-8000-{number:012x}",
                time="2026-01-01T00:00:00.000000Z",
                key=event.session_id,
                subject=event.session_id if isinstance(event, Started) else None,
            ),
        )
        for number, event in enumerate(events)
    ]
