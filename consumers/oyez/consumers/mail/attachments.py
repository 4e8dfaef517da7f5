"""What is attached to a mail."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass

from .errors import MailRefused
from .header_text import wrong_with

_KIND = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
LONGEST = 200  # characters of a name


@dataclass(frozen=True)
class Attachment:
    """A file: its name, its bytes, and its media type, guessed by the name unless given. Raises `MailRefused`."""

    name: str
    content: bytes
    kind: str | None = None

    def __post_init__(self) -> None:
        wrong = _wrong_with(self.name)
        if wrong is not None:
            raise MailRefused(f"mail: an attachment's name {wrong}: {self.name[:80]!r}")
        if not isinstance(self.content, bytes):
            raise MailRefused(
                f"mail: the attachment {self.name} is no bytes but {type(self.content).__name__}"
            )
        if self.kind is not None and not _KIND.fullmatch(self.kind):
            raise MailRefused(
                f"mail: the attachment {self.name} has the type {self.kind[:100]!r}, which is none"
            )

    @property
    def media_type(self) -> tuple[str, str]:
        """Its media type, in two parts."""
        kind = self.kind or mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        # What is attached is sent as its bytes, never as a message or as parts of one.
        return (main, sub) if main not in ("message", "multipart") else ("application", "octet-stream")


def _wrong_with(name: str) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"has more than {LONGEST} characters"
    return "has =? in it, which readers take for encoded text" if "=?" in name else wrong_with(name)
