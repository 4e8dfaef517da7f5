"""A queue with mails in it, and senders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import insert, select

from consumers.mail.smtp_server import Server
from consumers.pipeline import Clock
from oyez.consumers import ListenSettings
from oyez.consumers.database import Database, make_engine
from oyez.consumers.database.tables import mail
from oyez.consumers.mail.assembly import sender_for
from oyez.consumers.mail.sender import Order, Sender, Tally


def rows_of(numbers: Sequence[int], now: float, **said: Any) -> list[dict[str, Any]]:
    """Mails as a handler would have queued them."""
    return [
        {
            "app": "shop",
            "handler": "thank",
            "state": "waiting",
            "rank": 4,
            "since": now,
            "due_at": now,
            "recipients": f'["u{n}@a.example"]',
            "remaining": f'["u{n}@a.example"]',
            "subject": f"mail {n}",
            "message_id": f"<{n}@shop.oyez>",
            "size": 10,
            "queued_at": now,
            "changed_at": now,
            "content": f"Message-ID: <{n}@shop.oyez>\r\nSubject: mail {n}\r\n\r\nhello\r\n".encode(),
            **said,
        }
        for n in numbers
    ]


class MailQueue:
    """A prepared database, a clock, and the server that mails go to."""

    def __init__(self, url: str, server: Server, **said: Any) -> None:
        self.url = url
        self.server = server
        self.clock = Clock()
        self.engine = make_engine(url)
        self.database = Database(self.engine)
        given = {
            "mail_host": "127.0.0.1",
            "mail_port": server.port,
            "mail_tls": "none",
            "mail_sender": "Shop <shop@shop.example>",
        }
        self.settings = ListenSettings(**(given | said))

    def sender(self, clock: Callable[[object], float] | None = None) -> Sender:
        return sender_for(
            self.settings,
            self.database,
            idle_limit=60.0,
            clock=clock or self.clock,
            timer=self.clock,
            wall=self.clock,
        )

    def run(self, limit: int = 500, **said: Any) -> Tally:
        tally = Tally()
        self.sender().run(Order(limit, **said), tally)
        return tally

    def queue(self, numbers: Sequence[int], **said: Any) -> None:
        rows = rows_of(numbers, self.clock.now, **said)
        self.database.repeat(lambda db: db.execute(insert(mail), rows))  # the other side may be writing

    def states(self) -> Counter[str]:
        return Counter(self.column("state"))

    def column(self, name: str) -> list[Any]:
        with self.engine.connect() as db:
            return list(db.execute(select(mail.c[name]).order_by(mail.c.id)).scalars())

    def row(self, number: int) -> Any:
        with self.engine.connect() as db:
            return db.execute(select(mail).where(mail.c.subject == f"mail {number}")).one()

    def close(self) -> None:
        self.engine.dispose()
