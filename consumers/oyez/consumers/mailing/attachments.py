"""What is attached to a mail."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass

from .errors import MailRefused

_KIND = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
LONGEST = 200  # characters of a name


@dataclass(frozen=True)
class Attachment:
    """A file: its name, its bytes, and its media type, guessed by the name unless given. Raises `MailRefused`."""

    name: str
    content: bytes
    kind: str | None = None

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > LONGEST or not self.name.isprintable():
            raise MailRefused(f"mail: an attachment cannot have the name {self.name[:LONGEST]!r}")
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
