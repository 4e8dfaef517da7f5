"""Stages whose handlers queue mails, queues with mails in them, and mail servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consumers.conftest import (
    inline,
    play,
    prepared_postgres,
    prepared_sqlite,
    stage_database,
    stage_postgres,
    stage_sqlite,
)
from mailing.desk import Desk
from mailing.server import Server, serving

__all__ = [
    "inline",
    "play",
    "prepared_postgres",
    "prepared_sqlite",
    "stage_database",
    "stage_postgres",
    "stage_sqlite",
]

Open = Callable[..., Desk]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def desk(stage_database: str, server: Server) -> Iterator[Open]:
    """Makes a desk on each database in turn, whose mails go to the server."""
    made: list[Desk] = []

    def make(**said: Any) -> Desk:
        made.append(Desk(stage_database, server, **said))
        return made[-1]

    yield make
    for one in made:
        one.close()
