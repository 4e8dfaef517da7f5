"""A real Kafka and a real PostgreSQL for tests: those that the environment names, else packaged ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from ..dev import Kafka, Postgres

UNSAFE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}
"""Tests crash the server, never the machine."""


class Services(NamedTuple):
    """Where they are: a broker's address, and the URL of a PostgreSQL server's own database."""

    kafka: str
    postgres: str


@contextmanager
def kafka_address() -> Iterator[str]:
    """The address of a real broker: OYEZ_TEST_KAFKA, or one of our own, which needs oyez[dev]."""
    if given := os.environ.get("OYEZ_TEST_KAFKA"):
        yield given
        return
    with Kafka() as broker:
        yield broker.bootstrap


@contextmanager
def postgres_address() -> Iterator[str]:
    """The URL of a real PostgreSQL server: OYEZ_TEST_POSTGRES, or one of our own, which needs oyez[dev]."""
    if given := os.environ.get("OYEZ_TEST_POSTGRES"):
        yield given
        return
    with Postgres(settings=UNSAFE) as server:
        yield server.url()


@contextmanager
def services() -> Iterator[Services]:
    """Both. Raises `ServiceError`, also where oyez[dev] is not installed."""
    with ExitStack() as stack:
        kafka = stack.enter_context(kafka_address())
        yield Services(kafka, stack.enter_context(postgres_address()))


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid4().hex[:12]}"


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a new database on this server, dropped afterwards."""
    name = unique("oyez_test").replace("-", "_")
    execute(server, f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(server: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
