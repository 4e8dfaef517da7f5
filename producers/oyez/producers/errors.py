"""What can go wrong on the way out of an application."""

from typing import Any

from oyez.schemas import Event, OyezError


class SettingsError(OyezError):
    """A setting is wrong: the message names it, where it was read, and the problem."""


class ExtraMissing(SettingsError, ImportError):
    """What was imported needs an extra that is not installed: the message says how to install it."""


class AnnouncerClosed(OyezError):
    """Something was announced on an announcer after its close()."""


class OtherLoop(OyezError):
    """An AsyncAnnouncer was used in another event loop than its own."""


class TransportRefused(OyezError):
    """Raised by a transport's send(): it cannot take the event, for `reason`. Callers see NotAnnounced."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAnnounced(OyezError):
    """announce() could not hand `event` over, for `reason`: it is gone unless the caller keeps it."""

    def __init__(self, event: Event[Any], reason: str) -> None:
        super().__init__(f"{event.signal} was not announced: {reason}")
        self.event = event
        self.reason = reason


class Undelivered(OyezError):
    """flush() or close() found `events` that were announced and did not arrive.

    `count` says how many there were; of very many, `events` holds the last ones.
    """

    def __init__(self, failures: list[tuple[Event[Any], str]], count: int) -> None:
        why = sorted({reason for _, reason in failures})
        super().__init__(f"{count} announced events did not arrive: {'; '.join(why[:3])}")
        self.events = [event for event, _ in failures]
        self.count = count
