"""One connection to the mail server, for many mails."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

from .answers import Answer
from .errors import MailServerAway, MailSettingsWrong
from .settings import PORTS, MailSettings

Reply = tuple[int, str]
LEAST_TIME = 0.05  # s
_DOT = re.compile(rb"(?m)^\.")


class Link:
    """A connection that is opened when it is needed. One thread uses it."""

    def __init__(self, settings: MailSettings, timer: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._timer = timer
        self._smtp: Any = None
        self._until = 0.0
        self._ended = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._smtp is not None

    def open(self) -> None:
        """Connect and log in, unless that is done. Raises `MailServerAway` and `MailSettingsWrong`."""
        if self._smtp is not None:
            return
        try:
            self._smtp = self._connected()
            self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._log_in()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise self._why(error) from error

    def send(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """Give one mail away. Never raises for what the server says or does."""
        self._until = self._timer() + self._settings.mail_timeout
        self._ended = False
        try:
            return self._converse(sender, recipients, content)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.close()
            return self._lost(recipients, f"the connection was lost: {_one_line(error)}")
        except smtplib.SMTPResponseException as error:  # a reply that is none
            self.close()
            return self._lost(recipients, _words(error.smtp_error))

    def close(self) -> None:
        """Say goodbye, if somebody is there."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(1.0)
                smtp.quit()
        except (smtplib.SMTPException, OSError):
            pass
        finally:
            smtp.close()

    def _connected(self) -> Any:
        said = self._settings
        place = (said.mail_host or "", said.mail_port or PORTS[said.mail_tls])
        if said.mail_tls == "tls":
            return smtplib.SMTP_SSL(*place, timeout=said.mail_timeout, context=self._context())
        smtp = smtplib.SMTP(*place, timeout=said.mail_timeout)
        if said.mail_tls == "starttls":
            smtp.starttls(context=self._context())
        return smtp

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.mail_ca)
        except OSError as error:
            raise MailSettingsWrong(
                f"OYEZ_MAIL_CA: {self._settings.mail_ca} cannot be read: {_one_line(error)}"
            ) from None

    def _log_in(self) -> None:
        self._smtp.ehlo_or_helo_if_needed()
        if self._settings.mail_user is not None:
            password = self._settings.mail_password
            self._smtp.login(
                self._settings.mail_user, "" if password is None else password.get_secret_value()
            )

    def _converse(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        size = f" SIZE={len(content)}" if self._smtp.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{size}", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
        replies = self._group(commands) if self._smtp.has_extn("pipelining") else self._in_turn(commands)
        code, words = replies[0]
        if code != 250:
            return self._refused(Answer.to_all(recipients, code, words), code)
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
        self._smtp.sock.settimeout(max(LEAST_TIME, self._until - self._timer()))
        self._smtp.send("".join(f"{command}\r\n" for command in commands))
        replies = [self._ask(self._smtp.getreply) for _ in commands]
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
        self._smtp.sock.settimeout(max(LEAST_TIME, self._until - self._timer()))
        code, words = command(*given)
        return code, _words(words)

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

    def _why(self, error: Exception) -> Exception:
        server = f"the mail server {self._settings.mail_server}"
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            words = f"{error.smtp_code} {_words(error.smtp_error)}"
            return MailSettingsWrong(
                f"{server} refuses the login of {self._settings.mail_user} (OYEZ_MAIL_USER): {words}"
            )
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return MailSettingsWrong(
                f"{server}: {_one_line(error)} (OYEZ_MAIL_TLS is {self._settings.mail_tls})"
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return MailSettingsWrong(
                f"{server} has a certificate that is not trusted: {error.verify_message}; set OYEZ_MAIL_CA"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            return MailServerAway(f"{server} does not serve: {error.smtp_code} {_words(error.smtp_error)}")
        return MailServerAway(f"{server} cannot be reached: {_one_line(error)}")


def _words(said: bytes | str) -> str:
    """A reply in one line."""
    text = said if isinstance(said, str) else said.decode("utf-8", "backslashreplace")
    return " ".join(text.split())[:1000]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
