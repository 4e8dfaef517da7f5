"""What a handler asks for by `mail: Mail`: it queues mails in the handler's own transaction."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from typing import Any

from uuid_utils import uuid7

from oyez.producers.tracing import current_trace
from oyez.schemas import Event, Signal

from ..core.tool_context import ToolContext
from ..database import mails
from ..database.connection import HandlerConnection
from ..database.dialects.lookup import dialect_of
from ..database.mails import URGENT
from ..handlers.tools import Causes, EventId, Pending, Tool
from .addresses import Addresses, parse, parse_all
from .attachments import Attachment
from .errors import MailRefused
from .message import Parts, compose, from_line
from .settings import mail_settings

MOST_RECIPIENTS = 100
FARTHEST = 10 * 366 * 86_400.0  # s; how far ahead a mail may be queued for


class Mail(Tool):
    """Queues mails in the transaction of the handler that has asked for it by annotation::

        @on(OrderPaid)
        def thank(order: OrderPaid, mail: Mail) -> None:
            mail.send(to=order.email, subject="Thank you", text="…")

    Nothing is sent before that is committed, and then by `oyez mail send`.
    """

    def __init__(self, context: ToolContext, handler: str, db: HandlerConnection) -> None:
        super().__init__(context, handler, db)
        self._most_bytes = mail_settings(context.settings).mail_size
        self._pending = Pending(db, mails.queueing(dialect_of(db)))
        self._causes = Causes(handler)
        self._counts: Counter[EventId] = Counter()

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        """As `Tool.begin`. A tool is made anew for each run, so that what is counted for an event begins anew too."""
        self._causes.begin(events, cause)

    def finish(self) -> None:
        """Write what was queued."""
        self._pending.write()

    def send(
        self,
        *,
        to: Addresses,
        subject: str,
        text: str | None = None,
        html: str | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        reply_to: Addresses | None = None,
        sender: str | None = None,
        attachments: Iterable[Attachment] = (),
        headers: Mapping[str, str] | None = None,
        priority: int = 5,
        not_before: datetime | None = None,
        cause: Signal | Event[Any] | None = None,
    ) -> str:
        """Queue a mail; returns its Message-ID, which stays the same however often it is sent.

        An address is `a@b.example` or `Name <a@b.example>`; several are a list. ``sender``: OYEZ_MAIL_SENDER unless
        given. ``priority``: 0 to 9, the highest is sent first; 9 does not wait for the next batch. ``not_before``: an
        aware datetime before which it is not sent. ``cause``: in a handler of batches the event that this mail is
        for, as it was given; with it, the mail is not queued a second time when the event is handled again.

        Raises `MailRefused`, and `HandlerMisuse` for a cause that is none of the handler's events.
        """
        key, n = self._key(cause)
        given = [parse_all(one) for one in (to, cc, bcc, reply_to)]
        by = None if sender is None else _author(sender)
        message_id = f"<{self._token(key, n)}@{by.domain if by else f'{self.context.app}.oyez'}>"
        parts = Parts(
            message_id, given[0], given[1], given[3], subject, text, html, tuple(attachments), headers or {}
        )
        content = compose(parts)
        if len(content) > self._most_bytes:
            raise MailRefused(
                f"mail: it has {len(content)} bytes, more than OYEZ_MAIL_SIZE allows ({self._most_bytes})"
            )
        now = self.context.clock()
        since = now if not_before is None else _moment(not_before, now)
        recipients = json.dumps(_recipients(*given[:3]))
        source, event_id = key or (None, None)
        row = {
            "app": self.context.app,
            "handler": self.handler,
            "source": source,
            "event_id": event_id,
            "n": n,
            "state": "waiting",
            "rank": URGENT - _priority(priority),
            "since": since,
            "due_at": since,
            "sender": None if by is None else str(by),
            "recipients": recipients,
            "remaining": recipients,
            "subject": subject,
            "message_id": message_id,
            "size": len(content),
            "queued_at": now,
            "changed_at": now,
            "content": content,
            "traceparent": current_trace().get("traceparent"),
        }
        self._pending.add(row)
        return message_id

    def _key(self, cause: Signal | Event[Any] | None) -> tuple[EventId | None, int | None]:
        """The event and which of its mails this is: with these it is not queued a second time."""
        key = self._causes.of(cause)
        if key is None:
            return None, None
        self._counts[key] += 1
        return key, self._counts[key]

    def _token(self, key: EventId | None, n: int | None) -> str:
        if key is None:
            return uuid7().hex
        said = json.dumps([self.context.app, self.handler, *key, n])
        return hashlib.sha256(said.encode()).hexdigest()[:40]


def _author(sender: str) -> Address:
    """Who it is from. The line is written when the mail is sent; that it can be is known now."""
    by = parse(sender)
    from_line(by)
    return by


def _recipients(to: list[Address], cc: list[Address], bcc: list[Address]) -> list[str]:
    found = list(dict.fromkeys(one.addr_spec for one in (*to, *cc, *bcc)))
    if not found:
        raise MailRefused("mail: it has no recipients; give to=")
    if len(found) > MOST_RECIPIENTS:
        raise MailRefused(
            f"mail: it has {len(found)} recipients, and servers take {MOST_RECIPIENTS}; send several"
        )
    return found


def _priority(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= URGENT:
        raise MailRefused(f"mail: the priority {given!r} is not one of 0 to {URGENT}")
    return given


def _moment(given: object, now: float) -> float:
    """The moment that was given, or now if that is past."""
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise MailRefused(f"mail: not_before={given!r} is no aware datetime; give one with a time zone")
    if given.timestamp() > now + FARTHEST:
        raise MailRefused(f"mail: not_before={given.isoformat()} is more than 10 years ahead")
    return max(now, given.timestamp())
