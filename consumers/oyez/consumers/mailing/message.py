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

POLICY = SMTP.clone(cte_type="7bit")  # every server takes it
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}")
OURS = {
    *(
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "sender",
        "return-path",
        "received",
    ),
    *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id"),
}
MOST_SUBJECT = 900  # characters


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


def compose(parts: Parts) -> bytes:
    """The message, ready for SMTP but for From and Date. Raises `MailRefused`."""
    message = EmailMessage(policy=POLICY)
    message["Message-ID"] = parts.message_id
    for name, addresses in (("To", parts.to), ("Cc", parts.cc), ("Reply-To", parts.reply_to)):
        if addresses:
            message[name] = addresses
    message["Subject"] = _one_line("the subject", parts.subject, MOST_SUBJECT)
    for name, value in parts.headers.items():
        message[_header(name)] = _one_line(f"the header {name}", value, MOST_SUBJECT)
    _fill(message, parts)
    return message.as_bytes()


def _fill(message: EmailMessage, parts: Parts) -> None:
    for text in (parts.text, parts.html):
        if text is not None and not isinstance(text, str):
            raise MailRefused(f"mail: text and html are str, not {type(text).__name__}")
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
    if name.lower() in OURS or name.lower().startswith("resent-"):
        raise MailRefused(f"mail: the header {name} is written by Oyez; use the parameter for it")
    return name


def _one_line(what: str, text: object, most: int) -> str:
    """A header's value. A line break in one would begin another header."""
    if not isinstance(text, str):
        raise MailRefused(f"mail: {what} is a str, not {type(text).__name__}")
    if any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029" for character in text):
        raise MailRefused(f"mail: {what} has line breaks or control characters: {text[:80]!r}")
    if len(text) > most:
        raise MailRefused(f"mail: {what} has more than {most} characters")
    return _encodable(text)
