"""What is raised by the mail queue."""

from __future__ import annotations

from oyez.producers import SettingsError
from oyez.schemas import OyezError

from ..core.errors import ServiceAway
from ..core.outcomes import Reject


class MailRefused(Reject):
    """A mail cannot be queued as it is: an address, a header or its size. The message says what, and why.

    A handler that lets it through has rejected its event: another attempt would not repair the address.
    """


class MailServerAway(ServiceAway):
    """The mail server cannot be reached, or takes nothing at the moment; nothing was sent."""


class MailSettingsWrong(SettingsError):
    """Mail cannot be sent as it is set; the message names the setting."""


class SenderUnset(MailSettingsWrong):
    """Mails wait that name nobody whom they are from, and nobody is set. All others were sent."""

    def __init__(self) -> None:
        super().__init__("nobody is set whom mails are from; set OYEZ_MAIL_SENDER")


class SenderBusy(OyezError):
    """Another sender is at work, and this database has one at a time."""
