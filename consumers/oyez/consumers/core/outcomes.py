"""How a handler may end: it returns, or it raises one of these, or anything else (retry with backoff)."""

from __future__ import annotations

from oyez.schemas import OyezError, Signal, catalogue
from oyez.schemas.declaration import Prerequisite
from oyez.schemas.text import flaw, text_of


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


class Reject(OyezError):
    """This event will never be handled: its delivery becomes a dead letter at once, with the reason given."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class HandlerMisuse(OyezError):
    """A handler did what would break the batch's transaction: a commit, a rollback, a swallowed database error."""


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
