"""One occurrence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Event(Generic[S]):
    """A signal's data with its envelope. (source, id) identifies it."""

    id: str
    source: str
    """The name of the server that announced it."""
    time: datetime | None
    """When it was announced, in UTC; None if another producer's event does not say."""
    signal: str
    key: str | None
    """The visitor session: one key, one partition, one order for each source."""
    subject: str | None
    """What it is about, if its signal has a subject."""
    data: S
    traceparent: str | None = None
    """The span in which it was announced, as W3C Trace Context writes it, if that was traced."""
    tracestate: str | None = None
    """What tracing systems have added to that."""
    expires: datetime | None = None
    """From when it is not handled any more, in UTC; None if it does not expire."""
