"""Is the service there? One question, five seconds, and a clear answer before anything is begun."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from oyez.producers import SettingsError

from ...database.migrating import MigrationNeeded, require
from ...run.assembly import engine_from
from ...settings import ListenSettings
from .exits import Unreachable

PATIENCE = 5.0  # s
DRIVERS_HINT = "Is the server running on that host and accepting TCP/IP connections?"
HINT = "is it running? `oyez dev` starts one here"

silent = logging.getLogger("oyez.kafka.librdkafka")
silent.addHandler(logging.NullHandler())
silent.propagate = False


def database(settings: ListenSettings) -> None:
    """Raise `Unreachable` unless the database answers, and `MigrationNeeded` unless it has our tables."""
    address = make_url_or_fail(settings)
    if _is_missing_file(address):
        raise MigrationNeeded(f"the database {hidden(address)} does not exist; run: oyez db upgrade")
    engine = reached(settings)
    try:
        require(engine)
    finally:
        engine.dispose()


@contextmanager
def engine_of(settings: ListenSettings) -> Iterator[Engine]:
    """The engine of the database, which answers and has our tables; it is closed at the end. Raises as `database`."""
    database(settings)
    engine = reached(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def connected(settings: ListenSettings) -> Iterator[Connection]:
    """A connection to it."""
    with engine_of(settings) as engine, engine.connect() as db:
        yield db


def reached(settings: ListenSettings) -> Engine:
    """An engine whose database answers; raises `Unreachable`."""
    engine = engine_from(settings)
    try:
        with engine.connect():
            return engine
    except DBAPIError as error:
        engine.dispose()
        why = " ".join(str(error.orig).replace(DRIVERS_HINT, "").split())
        raise Unreachable(
            f"the database {hidden(engine.url)} cannot be reached: {why}; {_hint(engine.url)}"
        ) from None


def make_url_or_fail(settings: ListenSettings) -> URL:
    """The database's address; raises `DatabaseError` if it cannot be used."""
    engine = engine_from(settings)
    engine.dispose()
    return engine.url


def hidden(address: URL | str) -> str:
    """A database address without its password."""
    return make_url(address).render_as_string(hide_password=True)


def kafka(settings: ListenSettings) -> None:
    """Raise `Unreachable` unless a broker answers.

    The question is asked by a short-lived child: a process that has had a Kafka client must not be forked.
    """
    context = multiprocessing.get_context("fork")
    answer, ours = context.Pipe(duplex=False)
    child = context.Process(target=_ask, args=(ours, settings.kafka, settings.kafka_options))
    child.start()
    ours.close()
    try:
        kind, why = answer.recv() if answer.poll(PATIENCE + 1.0) else ("away", "no answer")
    except EOFError:
        kind, why = "away", "the probe died"
    finally:
        child.kill()
        child.join()
        answer.close()
    if kind == "wrong":
        raise SettingsError(f"kafka_options (OYEZ_KAFKA_OPTIONS): {why}")
    if kind == "away":
        raise Unreachable(f"Kafka at {settings.kafka} cannot be reached: {why}; {HINT}")


def admin(servers: str, options: Mapping[str, object], **more: Any) -> AdminClient:
    """An administrative client that is silent."""
    config: dict[str, Any] = {**options, **more, "bootstrap.servers": servers, "logger": silent}
    return AdminClient(config)


def _ask(answer: Pipe, servers: str, options: Mapping[str, object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        answer.send(_asked(servers, options))
    finally:
        os._exit(0)


def _asked(servers: str, options: Mapping[str, object]) -> tuple[str, str]:
    """What the answer is ("there", "away", or "wrong" options), and why."""
    said: list[str] = []
    try:
        client = admin(servers, options, error_cb=lambda error: said.append(error.str()))
    except KafkaException as error:
        return "wrong", error.args[0].str()
    try:
        client.list_topics(timeout=PATIENCE)
    except KafkaException as error:
        client.poll(0)
        return "away", said[0] if said else error.args[0].str()
    return "there", ""


def _is_missing_file(address: URL) -> bool:
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return False
    path = str(address.database)
    return not path.startswith("file:") and Path(path).parent.is_dir() and not Path(path).exists()


def _hint(address: URL) -> str:
    if address.get_backend_name() == "sqlite":
        return "does its folder exist, and may it be written?"
    return HINT
