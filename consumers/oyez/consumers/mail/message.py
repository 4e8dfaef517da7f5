"""From what a handler says to the bytes of a message. All but From and Date, which are written when it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from .attachments import Attachment
from .errors import MailRefused
from .header_text import wrong_with
from .headers import address_line, check, text_line

POLICY = SMTP.clone(cte_type="7bit")  # every server takes it
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}")
_NAMES = "from to cc bcc subject date message-id reply-to sender return-path received mime-version"
OURS = frozenset(_NAMES.split())
_OUR_KINDS = ("content-", "resent-")
MOST_TEXT = 900  # characters of a header


@dataclass(frozen=True)
class Parts:
    """What a message is made of, its addresses read already."""

    message_id: str
    to: Sequence[Address]
    cc: Sequence[Address]
    reply_to: Sequence[Address]
    subject: str
    text: str | None
    html: str | None
    attachments: Iterable[Attachment]
    headers: Mapping[str, str]


def from_line(sender: Address) -> bytes:
    """The header that says who it is from. Raises `MailRefused`."""
    line = address_line("From", [sender])
    check(line, ["From"])
    return line


def compose(parts: Parts) -> bytes:
    """The message, ready for SMTP but for From and Date. Raises `MailRefused`."""
    head = {"Message-ID": text_line("Message-ID", parts.message_id)}
    for name, addresses in (("To", parts.to), ("Cc", parts.cc), ("Reply-To", parts.reply_to)):
        if addresses:
            head[name] = address_line(name, addresses)
    head["Subject"] = text_line("Subject", _one_line("the subject", parts.subject))
    for name, value in parts.headers.items():
        head[_header(name)] = text_line(name, _one_line(f"the header {name}", value))
    check(b"".join(head.values()), list(head))
    return b"".join(head.values()) + _body(parts)


def _body(parts: Parts) -> bytes:
    """The content, with the headers that say what it is."""
    message = EmailMessage(policy=POLICY)
    _fill(message, parts)
    written = message.as_bytes()
    for part in message.walk():
        items = list(part.raw_items())
        check(b"".join(POLICY.fold_binary(*item) for item in items), [name for name, _ in items])
    return written


def _fill(message: EmailMessage, parts: Parts) -> None:
    for text in (parts.text, parts.html):
        if text is not None and not isinstance(text, str):
            raise MailRefused(f"mail: text and html are str, not {type(text).__name__}")
        if text is not None and "\0" in text:
            raise MailRefused("mail: a zero byte in its text or html is not for mail")
    if parts.text is None and parts.html is None:
        raise MailRefused("mail: it has no content; give text=, html= or both")
    if parts.text is not None:
        message.set_content(_encodable(parts.text))
        if parts.html is not None:
            message.add_alternative(_encodable(parts.html), subtype="html")
    else:
        message.set_content(_encodable(parts.html or ""), subtype="html")
    for one in parts.attachments:
        main, sub = one.media_type
        message.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)


def _encodable(text: str) -> str:
    """Lone surrogates, which no encoding has, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _header(name: str) -> str:
    if not isinstance(name, str) or not _HEADER.fullmatch(name):
        raise MailRefused(f"mail: {name!r} cannot name a header")
    if name.lower() in OURS or name.lower().startswith(_OUR_KINDS):
        raise MailRefused(f"mail: the header {name} is written by Oyez; use the parameter for it")
    return name


def _one_line(what: str, text: object) -> str:
    """A header's value. A line break in one would begin another header."""
    if not isinstance(text, str):
        raise MailRefused(f"mail: {what} is a str, not {type(text).__name__}")
    if wrong := wrong_with(text):
        raise MailRefused(f"mail: {what} {wrong}: {text[:80]!r}")
    if len(text) > MOST_TEXT:
        raise MailRefused(f"mail: {what} has more than {MOST_TEXT} characters")
    return text
