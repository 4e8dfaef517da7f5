"""A mail server that does one thing at a certain moment: it leaves, or is silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Script:
    """What is said to a command (its first word; "." is the end of the content) the first time that it comes, and after
    that the usual again. None: the connection is closed without a word. `SILENT`: nothing at all. The connection is
    also closed after the reply ``last``. ``ended`` are those that the other side has closed."""

    said: dict[str, str | None] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    ehlo: str = "250 here"
    last: str | None = None


class Enough(dict[str, "str | None"]):
    """What is said to ``word`` for the mail after so many of a connection, and to all that follows by it."""

    def __init__(self, mails: int, word: str, said: str | None) -> None:
        self._mails, self._word, self._said = mails, word, said
        self._count = 0

    def pop(self, word: str, usual: str | None = None) -> str | None:  # type: ignore[override]
        self._count = 0 if word == "welcome" else self._count + (word == "mail")
        return self._said if word == self._word and self._count > self._mails else usual


PIPELINING = "250-here\r\n250 PIPELINING"
SILENT = "(nothing)"
USUAL = {"welcome": "220 here", "data": "354 go on", "quit": "221 bye"}


def timeout_for(said: Iterable[str | None]) -> float:
    """The seconds that a client is to wait: short for silence, which is all that it is to wait out; else long enough
    for any machine."""
    return 5.0 if SILENT in said else 30.0


class Talking:
    """A server in a thread."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.refuse()
        self._listening.close()
        self._thread.join(60)

    def refuse(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.script.connections += 1
            with connection, connection.makefile("rwb") as stream, suppress(OSError):
                going_on = self._say(stream, "welcome")
                while going_on:
                    going_on = self._answer(stream)

    def _answer(self, stream) -> bool:  # type: ignore[no-untyped-def]
        line = stream.readline()
        word = line.split(b" ")[0].strip().decode().lower()
        if not word:
            self.script.ended += 1
            return False
        self.script.seen.append(word)
        self.script.lines.append(line.decode().strip())
        if not self._say(stream, word):
            return False
        if word == "data" and self._said == USUAL["data"]:
            content = b""
            while (line := stream.readline()) not in (b".\r\n", b""):
                content += line
            if line:
                self.script.contents.append(content)
                return self._say(stream, ".")
        return word != "quit"

    def _say(self, stream, word: str) -> bool:  # type: ignore[no-untyped-def]
        usual = self.script.ehlo if word == "ehlo" else USUAL.get(word, "250 fine")
        self._said = self.script.said.pop(word, usual)
        if self._said == SILENT:
            stream.read()  # until the other side has had enough
            return False
        if self._said is None:
            return False
        stream.write(self._said.encode() + b"\r\n")
        stream.flush()
        return self._said != self.script.last


@contextmanager
def talking(ehlo: str = "250 here", last: str | None = None, **said: str | None) -> Iterator[Talking]:
    """A server, as long as the block lasts; `end` stands for the end of the content, `welcome` for the first words."""
    given = {"." if word == "end" else word: reply for word, reply in said.items()}
    script = Script(given, ehlo=ehlo, last=last)
    server = Talking(script)
    try:
        yield server
    finally:
        server.close()
