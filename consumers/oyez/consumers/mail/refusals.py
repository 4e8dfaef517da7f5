"""Whether a refusal for the moment is about the mail, or about the connection by which it came."""

from __future__ import annotations

import re
from typing import Literal

Cause = Literal["mail", "connection", "either"]
"""``either``: the reply does not tell. By a connection that has carried a mail before it counts as the connection's,
since another one shows it."""

LEAVING = 421
_SUBJECT = re.compile(r"4\.(\d{1,3})\.\d{1,3}\b")
_ADDRESSED = ("1", "2", "6")
"""Of RFC 3463's subjects those that are a mail's: addresses, mailboxes and content."""
_OTHERS = ("3", "4", "5", "7")
"""The mail system, the network, the protocol and policies."""
_OF_THE_CLIENT = re.compile(r"\b(?:HELO|EHLO|client host)\b", re.IGNORECASE)
_NAMED = re.compile(r"<[^>]*>")


def to_sender(code: int, words: str, sender: str) -> Cause:
    """Why MAIL is refused. Nothing is known of the mail then but its sender and its size."""
    if code == LEAVING:
        return "connection"
    if not 400 <= code < 500 or sender.lower() in words.lower():
        return "mail"
    subject = _subject(words)
    if subject in _ADDRESSED:
        return "mail"
    return "connection" if subject in _OTHERS else "either"


def to_recipients(code: int, words: str) -> Cause:
    """Why all recipients are refused; 452 is said of too many, and of a full mailbox."""
    if code == LEAVING:
        return "connection"
    return "either" if code == 452 and _subject(words) not in _ADDRESSED else "mail"


def is_too_many(said: str) -> bool:
    """Whether a recipient was refused because of those before it; or for its full mailbox, which its next try shows."""
    return said.startswith("452 ")


def is_about_client(code: int, words: str) -> bool:
    """Whether the server says that it is this host, or its name in EHLO, that it does not take. Postfix says so to each
    recipient, unless it is told to say it at once."""
    return code >= 400 and bool(_OF_THE_CLIENT.search(_NAMED.sub("", words)))


def _subject(words: str) -> str | None:
    found = _SUBJECT.match(words)
    return found and found[1]
