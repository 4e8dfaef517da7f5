"""Real mail servers, unpacked once, and queues whose mails go to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from consumers.conftest import pipeline_sqlite, prepared_sqlite
from consumers.mail.mail_queue import MailQueue
from integration.mail.exim import EXIM
from integration.mail.opensmtpd import OPENSMTPD
from integration.mail.postfix import POSTFIX
from integration.mail.real_server import Kind, RealServer, root_of, running
from support.debian_root import missing_tools

__all__ = ["pipeline_sqlite", "prepared_sqlite"]

KINDS = {kind.name: kind for kind in (POSTFIX, EXIM, OPENSMTPD)}

Serve = Callable[..., RealServer]
Queue = Callable[..., MailQueue]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], Path]]:
    """The root of each kind of server, made when it is first asked for."""
    if missing := missing_tools():
        pytest.skip(f"a real mail server {missing}")
    roots: dict[str, Path] = {}
    with ExitStack() as folders:

        def root(kind: Kind) -> Path:
            if kind.name not in roots:
                folder = tmp_path_factory.mktemp(kind.name)
                roots[kind.name] = folders.enter_context(root_of(kind, folder))
            return roots[kind.name]

        yield root


@pytest.fixture
def serve(unpacked: Callable[[Kind], Path]) -> Iterator[Serve]:
    """Starts a server by its name, with lines of settings."""
    with ExitStack() as servers:

        def start(name: str, settings: str = "") -> RealServer:
            return servers.enter_context(running(KINDS[name], unpacked(KINDS[name]), settings))

        yield start


@pytest.fixture
def queue_to(pipeline_sqlite: str) -> Iterator[Queue]:
    """Makes a queue whose mails go to a server."""
    made: list[MailQueue] = []

    def make(server: RealServer, **said: Any) -> MailQueue:
        made.append(MailQueue(pipeline_sqlite, server, **{"mail_ehlo": "shop.example", **said}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()
