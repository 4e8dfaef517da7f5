"""A real mail server in a root of its own, on 127.0.0.1. All that it takes goes into one mailbox; nothing leaves."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from oyez.consumers.dev.ports import free_port
from oyez.consumers.dev.process import ServiceProcess
from support.debian_root import inside, make_root

BOX = 30_009
HOME = "home/box"
DOMAIN = "a.example"
SECONDS = 60.0

Configure = Callable[[Path, int, str], Sequence[str]]
"""Writes the files of a server into its root, for this port and with these lines of settings; returns its command."""


@dataclass(frozen=True)
class Kind:
    """A server of Debian's: its packages, the accounts that it needs, and how it is set."""

    name: str
    packages: Sequence[str]
    users: Mapping[str, int]
    configure: Configure


class RealServer:
    """One that runs."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port

    def log(self) -> str:
        """All that it has written down."""
        files = [self.root.parent / "log", *(self.root / "var/log").rglob("*log")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    def received(self) -> Counter[str]:
        """How often each Message-ID is in the mailbox."""
        new = self.root / HOME / "Maildir" / "new"
        return Counter(
            str(message_from_bytes(file.read_bytes())["Message-ID"])
            for file in new.glob("*")
            if file.is_file()
        )


@contextmanager
def root_of(kind: Kind, folder: Path) -> Iterator[Path]:
    """Its packages, unpacked for as long as the block lasts."""
    try:
        yield make_root(folder, kind.packages, {**kind.users, "box": BOX}, programs=["/bin/sh"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(kind: Kind, root: Path, settings: str = "") -> Iterator[RealServer]:
    """The server with these settings beside its own, and an empty mailbox."""
    home = root / HOME
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    os.chown(home, BOX, BOX)
    server = RealServer(root, free_port())
    command = inside(root, *kind.configure(root, server.port, settings))
    log = root.parent / "log"
    log.unlink(missing_ok=True)
    process = ServiceProcess(kind.name, command, log=log, folder=root.parent, orphaned=signal.SIGTERM)
    try:
        process.wait_until(lambda: _greets(server.port), seconds=SECONDS)
        yield server
    finally:
        process.end(signal.SIGTERM, seconds=SECONDS)


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            greeting = connection.recv(100)
            connection.sendall(b"QUIT\r\n")
            return greeting.startswith(b"220")
    except OSError:
        return False


def owned(folder: Path, user: int, group: int, mode: int) -> None:
    """Make a folder that is this user's."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, user, group)
    folder.chmod(mode)
