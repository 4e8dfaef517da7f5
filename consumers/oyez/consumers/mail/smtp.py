"""One connection to the mail server, for many mails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .connecting import connect, farewell
from .conversation import Conversation
from .errors import MailServerAway, MailSettingsWrong
from .replies import Answer
from .settings import MailSettings

LEAST_TIME = 0.05  # s


class Link:
    """A connection that is opened when it is needed. One thread uses it.

    ``timeout`` is how many seconds each answer may take while it is opened; as long as a mail, unless given.
    """

    def __init__(
        self,
        settings: MailSettings,
        timer: Callable[[], float] = time.monotonic,
        *,
        timeout: float | None = None,
    ) -> None:
        self._settings = settings
        self._timer = timer
        self._timeout = settings.mail_timeout if timeout is None else timeout
        self._most = settings.mail_per_connection
        self._smtp: Any = None
        self._until = 0.0
        self._carried = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._smtp is not None

    def open(self) -> None:
        """Connect and log in, unless that is done. Raises `MailServerAway` and `MailSettingsWrong`."""
        if self._smtp is None:
            self._open(self._timeout)

    def _open(self, timeout: float) -> None:
        self._smtp = connect(self._settings, timeout)
        self._carried = 0

    def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """Give one mail away. Never raises for what the server says or does."""
        if not all(one.isascii() and one.isprintable() for one in (sender, *recipients)):
            return Answer(refused=dict.fromkeys(recipients, "there are addresses that are none"))
        self._until = self._timer() + self._settings.mail_timeout
        is_used = self._carried > 0
        answer, is_silent = self._try(sender, recipients, content)
        if is_used and answer.unsure is None and answer.cause != "mail" and not is_silent:
            # The server has had enough of this connection, or has closed it. It has nothing of this mail.
            answer = self._try_anew(sender, recipients, content)
        return replace(answer, cause="mail") if answer.cause == "either" else answer

    def _try(self, sender: str, recipients: Sequence[str], content: bytes) -> tuple[Answer, bool]:
        """The answer, and whether it is that nothing came in time."""
        self._carried += 1
        said = Conversation(self._smtp, self._settings, self._time_left)
        answer = said.give(sender, recipients, content)
        if said.is_over or self._carried == self._most:
            self.close()
        return answer, said.is_silent

    def _try_anew(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """The same by another connection, within the mail's time."""
        self.close()
        try:
            self._open(min(self._timeout, self._time_left()))
        except (MailServerAway, MailSettingsWrong) as error:
            return Answer(end=error)
        return self._try(sender, recipients, content)[0]

    def close(self) -> None:
        """Say goodbye, if somebody is there."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            farewell(smtp)

    def _time_left(self) -> float:
        return max(LEAST_TIME, self._until - self._timer())
