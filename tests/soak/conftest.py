"""Services of a file's own, which may be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oyez.consumers.dev import Kafka, Postgres
from support.services import UNSAFE, fresh_database


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker that may be killed, and whose groups may be impatient."""
    with Kafka(settings={"group.min.session.timeout.ms": "1000"}) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that may be killed."""
    with Postgres(settings=UNSAFE) as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    with fresh_database(server.url()) as made:
        yield made
