"""From a row of the queue to what the mail server is given: who it is from, when, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from ..database.mails import Letter
from .addresses import parse
from .errors import MailSettingsWrong, SenderUnset
from .message import from_line
from .replies import Answer
from .server_words import line_of
from .settings import MailSettings
from .smtp import Link


class Mailer(Protocol):
    """What takes mails away."""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""

    def open(self) -> None:
        """Make one. Raises `MailServerAway` and `MailSettingsWrong`."""

    def deliver(self, letter: Letter) -> Answer:
        """Give a mail away."""

    def close(self) -> None:
        """End the connection."""


class SmtpMailer:
    """Takes mails to the mail server that is set. Raises `MailSettingsWrong` if none is."""

    def __init__(
        self, settings: MailSettings, clock: Callable[[], float], *, timeout: float | None = None
    ) -> None:
        if settings.mail_host is None:
            raise MailSettingsWrong("no mail server is set; set OYEZ_MAIL_HOST")
        self._sender = settings.mail_sender
        self._override = settings.mail_override_to and parse(settings.mail_override_to).addr_spec
        self._link = Link(settings, timeout=timeout)
        self._clock = clock
        self._from: dict[str, tuple[bytes, str]] = {}

    @property
    def is_open(self) -> bool:
        return self._link.is_open

    def open(self) -> None:
        self._link.open()

    def close(self) -> None:
        self._link.close()

    def deliver(self, letter: Letter) -> Answer:
        to_try = letter.to_try
        sender = letter.sender or self._sender
        if sender is None:
            return Answer(unset=SenderUnset())
        try:
            head, address = self._head(letter, sender)
        except Exception as error:  # noqa: BLE001 # what is wrong with one mail is not to stop the others
            return Answer(refused=dict.fromkeys(to_try, f"it cannot be written: {line_of(error)}"))
        if self._override is None:
            return self._link.send(address, to_try, head + letter.content)
        return self._link.send(address, [self._override], head + letter.content).for_all_of(to_try)

    def _head(self, letter: Letter, sender: str) -> tuple[bytes, str]:
        """What stands before the content, and the address for the envelope."""
        line, address = self._from_line(sender)
        now = format_datetime(datetime.fromtimestamp(self._clock(), UTC))
        head = line + f"Date: {now}\r\n".encode()
        if self._override is not None:
            head += b"".join(f"X-Oyez-To: {one}\r\n".encode() for one in letter.to_try)
        return head, address

    def _from_line(self, sender: str) -> tuple[bytes, str]:
        """The header, and the address for the envelope."""
        if sender not in self._from:
            address = parse(sender)
            self._from[sender] = (from_line(address), address.addr_spec)
        return self._from[sender]
