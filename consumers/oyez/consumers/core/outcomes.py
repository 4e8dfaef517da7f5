"""How a handler may end: it returns, or it raises one of these, or anything else (retry with backoff).

What came of each delivery is an `Outcome`, one of a closed set. An outcome says of itself what follows from it. Whoever
needs more matches it, and ends in ``assert_never``: a new member is then refused by mypy in each such place, and at run
time before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from oyez.schemas import OyezError, Signal, catalogue
from oyez.schemas.declaration import Prerequisite
from oyez.schemas.text import flaw, text_of

from .backoff import LONGEST_PAUSE, is_number


class NotReady(OyezError):
    """This event cannot be handled yet.

    ``NotReady(SessionStarted, "s1")`` waits until that prerequisite is met; the signal must declare a
    ``subject``. ``NotReady()`` asks for another attempt later, with backoff.
    """

    def __init__(self, signal: type[Signal] | str | None = None, subject: object = None) -> None:
        self.prerequisite = None if signal is None else _prerequisite(signal, subject)
        super().__init__(
            "not ready"
            if self.prerequisite is None
            else f"waits for {self.prerequisite.signal} {self.prerequisite.subject!r}"
        )


class RetryAfter(OyezError):
    """This event is to be tried again, but not before ``seconds`` from now: what it needs has said when it is back.

    ``seconds``: a number of them, or a `timedelta`. It counts as an attempt, as every other end but success does.
    Raises `HandlerMisuse` for what is no time from 0 to ten years.
    """

    def __init__(self, seconds: float | timedelta, reason: str = "") -> None:
        given = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if not (is_number(given) and 0 <= given <= LONGEST_PAUSE):
            raise HandlerMisuse(
                f"RetryAfter({seconds!r}): give the seconds until the next attempt, from 0 to {LONGEST_PAUSE:.0f}, "
                f"or a timedelta"
            )
        self.seconds = float(given)
        self.reason = reason
        super().__init__(f"again in {self.seconds:g} s" + (f": {reason}" if reason else ""))


class Reject(OyezError):
    """This event will never be handled: its delivery becomes a dead letter at once, with the reason given."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class HandlerMisuse(OyezError):
    """A handler did what would break the batch's transaction: a commit, a rollback, a swallowed database error."""


class TimedOut(OyezError):
    """A handler took longer than the ``timeout=`` that it was registered with, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"took longer than its timeout of {seconds:g} s")


@dataclass(frozen=True, slots=True)
class Done:
    """The handler returned. There is one of these, `DONE`."""

    has_run: ClassVar[bool] = True
    """Whether the handler was called: its event cannot be left as if nobody had begun it."""
    holds_key: ClassVar[bool] = False
    """Whether later events of the same (handler, key) have to stay behind this one."""
    completes: ClassVar[bool] = True
    """Whether the handler's part of meeting the event's prerequisite is done."""
    is_final: ClassVar[bool] = True
    """Whether the delivery has come to its end: it counts as handled."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Not ready: ``prerequisite`` is not met; ``raised`` says whether the handler itself asked for it; ``span`` as for
    `Failed`."""

    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False

    prerequisite: Prerequisite
    raised: bool = False
    span: str | None = None

    @property
    def has_run(self) -> bool:
        """Only if it was its handler that said so."""
        return self.raised


@dataclass(frozen=True, slots=True)
class Behind:
    """Not ready: an earlier event of its key is parked."""

    has_run: ClassVar[bool] = False
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised, or asked for another attempt. ``kind`` is the type of what it raised, if it failed; ``after``
    are the seconds until its next attempt, if it has said so; ``span`` is the traceparent of the call, if that was
    traced."""

    has_run: ClassVar[bool] = True
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False

    error: str
    kind: str | None = None
    after: float | None = None
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up."""

    has_run: ClassVar[bool] = True
    holds_key: ClassVar[bool] = False
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = True

    reason: str
    error: str | None = None
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Unrun:
    """Ready, but the batch's time was up before the handler was called."""

    has_run: ClassVar[bool] = False
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Paused:
    """Its handler, its key or its group is paused: it is not run before somebody resumes that."""

    has_run: ClassVar[bool] = False
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Queued:
    """Ready, and left for a lane: its handler runs apart from the batch."""

    has_run: ClassVar[bool] = False
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Expired:
    """Its event has expired: the handler is not called any more."""

    has_run: ClassVar[bool] = False
    holds_key: ClassVar[bool] = False
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = True


Outcome = Done | Waits | Behind | Failed | Dead | Unrun | Queued | Paused | Expired
DONE = Done()
BEHIND = Behind()
UNRUN = Unrun()
QUEUED = Queued()
PAUSED = Paused()
EXPIRED = Expired()


def _prerequisite(signal: type[Signal] | str, subject: object) -> Prerequisite:
    own = signal.__oyez__ if isinstance(signal, type) and issubclass(signal, Signal) else None
    declaration = own or catalogue[signal]
    if declaration.subject is None:
        raise HandlerMisuse(
            f"NotReady({declaration.name}, …): the signal has no subject to wait for; "
            f"declare subject= on it, or raise NotReady() to try again later"
        )
    text = text_of(subject)
    if text is None:
        raise HandlerMisuse(f"NotReady({declaration.name}, None): say which subject to wait for")
    if reason := flaw(text):
        raise HandlerMisuse(f"NotReady({declaration.name}, …): the subject {reason}")
    return Prerequisite(declaration.name, text)
