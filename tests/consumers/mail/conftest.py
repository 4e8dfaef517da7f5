"""Pipelines whose handlers queue mails, queues with mails in them, and mail servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consumers.conftest import (
    inline,
    pipeline_database,
    pipeline_postgres,
    pipeline_sqlite,
    play,
    prepared_postgres,
    prepared_sqlite,
)
from consumers.mail.mail_queue import MailQueue
from consumers.mail.smtp_server import Server, serving

__all__ = [
    "inline",
    "pipeline_database",
    "pipeline_postgres",
    "pipeline_sqlite",
    "play",
    "prepared_postgres",
    "prepared_sqlite",
]

Open = Callable[..., MailQueue]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def mail_queue(pipeline_database: str, server: Server) -> Iterator[Open]:
    """Makes a mail queue on each database in turn, whose mails go to the server."""
    made: list[MailQueue] = []

    def make(**said: Any) -> MailQueue:
        made.append(MailQueue(pipeline_database, server, **said))
        return made[-1]

    yield make
    for one in made:
        one.close()
