"""Sending the mail queue over one connection, beside smtplib alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import smtplib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Any

from accounts import Handled, Loop
from aiosmtpd.controller import Controller
from bed import Row, Services, database
from sqlalchemy import insert

from oyez.consumers import ListenSettings
from oyez.consumers.database import Database, make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.tables import mail
from oyez.consumers.mail.addresses import parse
from oyez.consumers.mail.assembly import sender_for
from oyez.consumers.mail.message import Parts, compose
from oyez.consumers.mail.sender import Order, Tally

FROM, TO = "shop@shop.example", "ann-{:06}@a.example"
TEXT = "Thank you for your order. It will be sent tomorrow.\n" * 20
DISK = 0.005  # s
A_MAIL = 50  # events for one mail: a mail takes that much longer


class Taking:
    """Takes every mail after so many seconds. As the servers that are in use, it takes commands in groups."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.recipients: list[str] = []

    async def handle_EHLO(  # noqa: N802 # aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, name: str, replies: list[str]
    ) -> list[str]:
        session.host_name = name
        return [*replies[:-1], "250-PIPELINING", replies[-1]]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 # aiosmtpd's name
        if self._seconds:
            await asyncio.sleep(self._seconds)
        self.recipients += envelope.rcpt_tos
        return "250 OK"


class Server(Controller):
    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _serve(answer: Pipe, seconds: float) -> None:
    taking = Taking(seconds)
    server = Server(taking, hostname="127.0.0.1", port=0)
    server.start()
    answer.send(server.port)
    while True:
        answer.recv()
        taken, taking.recipients = taking.recipients, []
        answer.send(taken)


def _taken(server: Pipe) -> list[str]:
    server.send(None)
    found: list[str] = server.recv()
    return found


@contextmanager
def serving(seconds: float) -> Iterator[tuple[int, Handled]]:
    """The port of a mail server in a process of its own, and the recipients of what it has taken since it was last
    asked."""
    ours, its = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=[its, seconds], daemon=True)
    process.start()
    try:
        yield ours.recv(), partial(_taken, ours)
    finally:
        process.kill()
        process.join()


def rows(services: Services, count: int, turns: int) -> list[Row]:
    """Beside a server that writes what it takes to its disk, as all do that are in use, and one that forgets it."""
    return [
        row
        for seconds, name in (
            (DISK, f"a server that takes {DISK * 1000:g} ms"),
            (0.0, "a server that forgets"),
        )
        for row in _beside(services, count, turns, seconds, name)
    ]


def _beside(services: Services, count: int, turns: int, seconds: float, name: str) -> Iterator[Row]:
    mails = max(20, count // A_MAIL)
    with (
        serving(seconds) as (port, taken),
        tempfile.TemporaryDirectory() as folder,
        database(services) as url,
    ):
        for kind, address in (("PostgreSQL", url), ("SQLite", f"sqlite:///{folder}/bench.db")):
            queue = Queue(address, port)
            row = Row(f"oyez mail send, {kind}, {name}", "smtplib, one connection: send_message", 0.9)
            for _ in range(turns):
                queue.fill(mails)
                row.turn(mails, Loop(queue.send, taken), Loop(lambda: _by_hand(port, mails), taken))
            queue.close()
            yield row


class Queue:
    """A mail queue, and its sender."""

    def __init__(self, url: str, port: int) -> None:
        self._engine = make_engine(url)
        upgrade(self._engine)
        settings = ListenSettings(mail_host="127.0.0.1", mail_port=port, mail_tls="none", mail_sender=FROM)
        self._sender = sender_for(settings, Database(self._engine), idle_limit=60.0)
        self._count = 0

    def fill(self, count: int) -> None:
        now, content = time.time(), _content()
        row = {
            "app": "bench",
            "handler": "bench",
            "state": "waiting",
            "rank": 4,
            "since": now,
            "due_at": now,
            "subject": "your order",
            "message_id": "<1@bench.oyez>",
            "size": len(content),
            "queued_at": now,
            "changed_at": now,
            "content": content,
        }
        with self._engine.begin() as db:
            db.execute(mail.delete())
            db.execute(insert(mail), [{**row, **_to(n)} for n in range(count)])
        self._count = count

    def send(self) -> None:
        tally = Tally()
        self._sender.run(Order(self._count), tally)
        assert tally.sent == self._count, tally

    def close(self) -> None:
        self._engine.dispose()


def _to(number: int) -> dict[str, str]:
    recipients = f'["{TO.format(number)}"]'
    return {"recipients": recipients, "remaining": recipients}


def _content() -> bytes:
    return compose(Parts("<1@bench.oyez>", [parse(TO.format(0))], [], [], "your order", TEXT, None, [], {}))


def _by_hand(port: int, count: int) -> None:
    content = b"From: shop@shop.example\r\n" + _content()
    message: EmailMessage = message_from_bytes(content, policy=SMTP)  # type: ignore[assignment]
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(count):
            smtp.send_message(message, to_addrs=[TO.format(number)])
