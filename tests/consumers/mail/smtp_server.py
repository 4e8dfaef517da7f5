"""A real mail server, in a thread, that refuses what it is told to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

Reply = Callable[[str], str | None]


class Inbox:
    """What was received. ``on_rcpt`` and ``on_data`` may answer with a reply of their own."""

    def __init__(self) -> None:
        self.on_rcpt: Reply = lambda _address: None
        self.on_data: Reply = lambda _message_id: None
        self.connections = 0
        self._lock = threading.Lock()
        self._mails: list[tuple[str, list[str], bytes]] = []

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        reply = self.on_rcpt(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        content = envelope.content
        reply = self.on_data(str(message_from_bytes(content)["Message-ID"]))
        if reply is None:
            with self._lock:
                self._mails.append((envelope.mail_from, list(envelope.rcpt_tos), content))
        return reply or "250 OK"

    def __len__(self) -> int:
        return len(self._mails)

    @property
    def mails(self) -> list[tuple[str, list[str], Message]]:
        """Sender, recipients and message, in the order of arrival."""
        return [(sender, to, message_from_bytes(content)) for sender, to, content in self._mails]

    @property
    def contents(self) -> list[bytes]:
        return [content for _, _, content in self._mails]

    def times(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(message["Message-ID"]) for _, _, message in self.mails)

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for _, _, message in self.mails]


class Server(Controller):
    """On a free port."""

    inbox: Inbox

    def __init__(self, inbox: Inbox, **said: Any) -> None:
        super().__init__(inbox, hostname="127.0.0.1", port=0, **said)
        self.inbox = inbox

    def _trigger_server(self) -> None:
        """Its port is only known now; the controller would ask at the one that was given."""
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serving(inbox: Inbox | None = None, **said: Any) -> Iterator[Server]:
    """A server, as long as the block lasts."""
    server = Server(Inbox() if inbox is None else inbox, **said)
    server.start()
    try:
        yield server
    finally:
        server.stop()
