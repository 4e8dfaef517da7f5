"""One connection to the mail server, for many mails."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Callable, Sequence
from typing import Any

from .connecting import NEEDS_LOGIN, connect, farewell, is_silence, line_of, login_wanted, words_of
from .errors import MailServerAway, MailSettingsWrong
from .replies import Answer
from .settings import MailSettings

Reply = tuple[int, str]
LEAST_TIME = 0.05  # s
_DOT = re.compile(rb"(?m)^\.")


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
        self._smtp: Any = None
        self._until = 0.0
        self._has_served = False
        self._is_heard = False
        self._is_silent = False
        self._ended = False

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
        self._has_served = False

    def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """Give one mail away. Never raises for what the server says or does."""
        if not all(one.isascii() and one.isprintable() for one in (sender, *recipients)):
            return Answer(refused=dict.fromkeys(recipients, "there are addresses that are none"))
        self._until = self._timer() + self._settings.mail_timeout
        could_be_stale = self._has_served
        answer = self._try(sender, recipients, content)
        if answer.lost and could_be_stale and not self._is_heard and not self._is_silent:
            # The server has closed it after a mail before. It knows nothing of this one.
            answer = self._try_anew(sender, recipients, content)
        self._has_served = True
        return answer

    def _try(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        self._ended = self._is_heard = self._is_silent = False
        try:
            return self._converse(sender, recipients, content)
        except smtplib.SMTPResponseException as error:  # a reply that is none
            self.close()
            return self._lost(recipients, words_of(error.smtp_error))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._is_silent = is_silence(error)
            self.close()
            return self._lost(recipients, f"the connection was lost: {line_of(error)}")

    def _try_anew(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """The same by another connection, within the mail's time."""
        try:
            self._open(min(self._timeout, self._time_left()))
        except (MailServerAway, MailSettingsWrong) as error:
            return Answer(end=error)
        return self._try(sender, recipients, content)

    def close(self) -> None:
        """Say goodbye, if somebody is there."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            farewell(smtp)

    def _time_left(self) -> float:
        return max(LEAST_TIME, self._until - self._timer())

    def _converse(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        size = f" SIZE={len(content)}" if self._smtp.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{size}", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
        replies = self._group(commands) if self._smtp.has_extn("pipelining") else self._in_turn(commands)
        if replies[0][0] != 250:
            return self._turned_away(recipients, *replies[0])
        accepted: list[str] = []
        refused: dict[str, str] = {}
        delayed: dict[str, str] = {}
        for one, (code, words) in zip(recipients, replies[1:], strict=False):
            if code in (250, 251):
                accepted.append(one)
            else:
                (refused if 500 <= code < 600 else delayed)[one] = f"{code} {words}"
            if code == 421:
                return self._refused(Answer.to_all(recipients, code, words), code)
        if not accepted:
            return self._refused(Answer(refused=refused, delayed=delayed), code)
        code, words = replies[-1]
        if code != 354:
            answer = Answer.to_all(accepted, code if code >= 400 else 451, words)
            return self._refused(answer.and_also(refused, delayed), code)
        code, words = self._ask(self._give, content)
        if not (200 <= code < 300 or 400 <= code < 600):
            self.close()
            return Answer(unsure=f"no reply to the mail's end, but: {words}", lost=True)
        answer = Answer.to_all(accepted, code, words).and_also(refused, delayed)
        return answer if code == 250 else self._refused(answer, code)

    def _turned_away(self, recipients: Sequence[str], code: int, words: str) -> Answer:
        """What a refused sender means: without its login a server says the same to every mail."""
        if code in NEEDS_LOGIN:
            self.close()
            return Answer(end=login_wanted(self._settings, code, words))
        return self._refused(Answer.to_all(recipients, code, words), code)

    def _in_turn(self, commands: Sequence[str]) -> list[Reply]:
        """The replies to these commands, up to the first after which the others are in vain."""
        replies = [self._ask(self._smtp.docmd, commands[0])]
        if replies[0][0] != 250:
            return replies
        for command in commands[1:-1]:
            replies.append(self._ask(self._smtp.docmd, command))
            if replies[-1][0] == 421:
                return replies
        if any(code in (250, 251) for code, _ in replies[1:]):
            replies.append(self._ask(self._smtp.docmd, commands[-1]))
        return replies

    def _group(self, commands: Sequence[str]) -> list[Reply]:
        """The same in one go, where the server says that it takes that: two waits for a mail instead of four."""
        self._smtp.sock.settimeout(self._time_left())
        self._smtp.send("".join(f"{command}\r\n" for command in commands))
        replies: list[Reply] = []
        for _ in commands:
            replies.append(self._ask(self._smtp.getreply))
            if replies[-1][0] == 421:  # its last words
                return replies
        is_in_vain = replies[0][0] != 250 or not any(code in (250, 251) for code, _ in replies[1:-1])
        if is_in_vain and replies[-1][0] == 354:
            self._ask(self._give, b"")  # to nobody: the server waits for it
            self._ended = False
        return replies[:-1] if is_in_vain else replies

    def _give(self, content: bytes) -> Any:
        """The whole content. As long as its last byte is not on its way, the server does not have it."""
        end = b".\r\n" if not content or content.endswith(b"\r\n") else b"\r\n.\r\n"
        self._smtp.send(_DOT.sub(b"..", content) + end)
        self._ended = True
        return self._smtp.getreply()

    def _ask(self, command: Callable[..., Any], *given: Any) -> Reply:
        """One command and its reply, within the time of the mail."""
        self._smtp.sock.settimeout(self._time_left())
        code, words = command(*given)
        self._is_heard = True
        return code, words_of(words)

    def _refused(self, answer: Answer, code: int) -> Answer:
        """The conversation begins anew with the next mail. A server that says 421 leaves; one without sense is left."""
        if code == 421 or code < 200:
            self.close()
            return answer
        try:
            self._ask(self._smtp.rset)
        except (smtplib.SMTPException, OSError):
            self.close()
        return answer

    def _lost(self, recipients: Sequence[str], words: str) -> Answer:
        if self._ended:
            return Answer(unsure=words, lost=True)
        return Answer(delayed=dict.fromkeys(recipients, words), lost=True)
