"""What is said for one mail."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .refusals import LEAVING, is_about_client, to_recipients, to_sender
from .replies import Answer
from .server_words import NEEDS_LOGIN, client_refused, is_silence, line_of, login_wanted, words_of
from .settings import MailSettings

Reply = tuple[int, str]
_DOT = re.compile(rb"(?m)^\.")


class Conversation:
    """One mail, by a connection that is there; ``time_left`` says how many seconds there are for it.

    ``is_over`` says afterwards that the connection is not to be used any more, ``is_silent`` that nothing came in time.
    """

    def __init__(self, smtp: Any, settings: MailSettings, time_left: Callable[[], float]) -> None:
        self._smtp = smtp
        self._settings = settings
        self._time_left = time_left
        self._ended = False
        self.is_over = False
        self.is_silent = False

    def give(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        """Give the mail away. Never raises for what the server says or does."""
        try:
            return self._converse(sender, recipients, content)
        except smtplib.SMTPResponseException as error:  # a reply that is none
            return self._lost(recipients, words_of(error.smtp_error))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self.is_silent = is_silence(error)
            return self._lost(recipients, f"the connection was lost: {line_of(error)}")

    def _converse(self, sender: str, recipients: Sequence[str], content: bytes) -> Answer:
        size = f" SIZE={len(content)}" if self._smtp.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{size}", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
        replies = self._group(commands) if self._smtp.has_extn("pipelining") else self._in_turn(commands)
        if replies[0][0] != 250:
            return self._turned_away(sender, recipients, *replies[0])
        accepted: list[str] = []
        refused: dict[str, str] = {}
        delayed: dict[str, str] = {}
        for one, (code, words) in zip(recipients, replies[1:], strict=False):
            if code in (250, 251):
                accepted.append(one)
            else:
                (refused if 500 <= code < 600 else delayed)[one] = f"{code} {words}"
            if code == LEAVING:
                return self._refused(self._leaving(recipients, words), code)
        if not accepted:
            return self._refused(self._nobody(Answer(refused=refused, delayed=delayed), code, words), code)
        code, words = replies[-1]
        if code == LEAVING:
            return self._refused(self._leaving(accepted, words).and_also(refused, delayed), code)
        if code != 354:
            answer = Answer.to_all(accepted, code if code >= 400 else 451, words)
            return self._refused(answer.and_also(refused, delayed), code)
        return self._content(Answer(refused=refused, delayed=delayed), accepted, content)

    def _content(self, before: Answer, accepted: Sequence[str], content: bytes) -> Answer:
        code, words = self._ask(self._give, content)
        if not (200 <= code < 300 or 400 <= code < 600):
            self.is_over = True
            return Answer(unsure=f"no reply to the mail's end, but: {words}", lost=True)
        answer = self._leaving(accepted, words) if code == LEAVING else Answer.to_all(accepted, code, words)
        answer = answer.and_also(before.refused, before.delayed)
        return answer if code == 250 else self._refused(answer, code)

    def _turned_away(self, sender: str, recipients: Sequence[str], code: int, words: str) -> Answer:
        """What a refused sender means: without its login a server says the same to every mail."""
        if code in NEEDS_LOGIN:
            self.is_over = True
            return Answer(end=login_wanted(self._settings, code, words))
        answer = Answer.to_all(recipients, code, words)
        if is_about_client(code, words):
            return self._refused(self._blaming(answer, code, words), code)
        return self._refused(replace(answer, cause=to_sender(code, words, sender)), code)

    def _nobody(self, answer: Answer, code: int, words: str) -> Answer:
        """No recipient was accepted, the last one with this reply."""
        if is_about_client(code, words):
            return self._blaming(answer, code, words)
        causes = {to_recipients(int(said[:3]), said[4:]) for said in answer.delayed.values()}
        return replace(answer, cause="either") if causes == {"either"} and not answer.refused else answer

    def _blaming(self, answer: Answer, code: int, words: str) -> Answer:
        """Nobody is refused by what a server says of whoever it talks to."""
        delayed = {**answer.delayed, **answer.refused}
        blame = client_refused(self._settings, self._smtp.local_hostname, code, words)
        return Answer(delayed=delayed, cause="connection", blame=blame)

    def _leaving(self, recipients: Sequence[str], words: str) -> Answer:
        return replace(Answer.to_all(recipients, LEAVING, words), cause="connection")

    def _in_turn(self, commands: Sequence[str]) -> list[Reply]:
        """The replies to these commands, up to the first after which the others are in vain."""
        replies = [self._ask(self._smtp.docmd, commands[0])]
        if replies[0][0] != 250:
            return replies
        for command in commands[1:-1]:
            replies.append(self._ask(self._smtp.docmd, command))
            if replies[-1][0] == LEAVING:
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
            if replies[-1][0] == LEAVING:  # its last words
                return replies
        is_in_vain = replies[0][0] != 250 or not any(code in (250, 251) for code, _ in replies[1:-1])
        if is_in_vain and replies[-1][0] == 354:
            self._give_nothing()
        return replies[:-1] if is_in_vain else replies

    def _give_nothing(self) -> None:
        """To nobody: the server waits for it. Whatever it says to that, and if it says nothing, the mail is refused."""
        try:
            code = self._ask(self._give, b"")[0]
            self.is_over = code == LEAVING or code < 200
        except (smtplib.SMTPException, OSError, ValueError):
            self.is_over = True
        self._ended = False

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
        return code, words_of(words)

    def _refused(self, answer: Answer, code: int) -> Answer:
        """The conversation begins anew with the next mail. A connection that is refused is left, and so is a server
        without sense."""
        if self.is_over or answer.cause == "connection" or code < 200:
            self.is_over = True
            return answer
        try:
            self.is_over = self._ask(self._smtp.rset)[0] == LEAVING
        except (smtplib.SMTPException, OSError):
            self.is_over = True
        return answer

    def _lost(self, recipients: Sequence[str], words: str) -> Answer:
        self.is_over = True
        if self._ended:
            return Answer(unsure=words, lost=True)
        return Answer(delayed=dict.fromkeys(recipients, words), lost=True, cause="connection")
