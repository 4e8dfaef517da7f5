"""Mails that handlers have queued, as a test looks at them."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage

from sqlalchemy import Connection, select

from ..database.mails import URGENT
from ..database.tables import mail


@dataclass(frozen=True, repr=False)
class QueuedMail:
    """A mail. ``recipients`` are plain addresses, with those of cc and bcc; ``sender`` is None where the settings say
    who it is from. ``message`` is all of it, but for From and Date. ``not_before`` is a moment in UTC, None if it may
    be sent at once; ``event_id`` is that of the event that it is for, None where a handler of batches named no cause.
    """

    handler: str
    sender: str | None
    recipients: list[str]
    subject: str
    message: EmailMessage = field(compare=False)
    priority: int
    not_before: datetime | None
    event_id: str | None

    @property
    def text(self) -> str | None:
        """Its plain text."""
        return self._body("plain")

    @property
    def html(self) -> str | None:
        """Its HTML."""
        return self._body("html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """What is attached, by the names of the files."""
        parts = list(self.message.iter_attachments())
        return {str(part.get_filename()): bytes(part.get_payload(decode=True) or b"") for part in parts}

    def __repr__(self) -> str:
        return f"<{self.handler}: {self.subject!r} to {', '.join(self.recipients)}>"

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")


def queued_mails(db: Connection, app: str) -> list[QueuedMail]:
    """The mails of an application, in the order of queueing."""
    return [
        QueuedMail(
            handler=row.handler,
            sender=row.sender,
            recipients=json.loads(row.recipients),
            subject=row.subject,
            message=email.message_from_bytes(row.content, policy=email.policy.default),
            priority=URGENT - row.rank,
            not_before=datetime.fromtimestamp(row.since, UTC) if row.since > row.queued_at else None,
            event_id=row.event_id,
        )
        for row in db.execute(select(mail).where(mail.c.app == app).order_by(mail.c.id))
    ]
