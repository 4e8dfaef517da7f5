"""The services that tests use: those named in the environment, else packaged ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from oyez.consumers.dev import Kafka, Postgres
from support.waiting import eventually

# The tests crash the server, never the machine.
UNSAFE = {"fsync": "off", "full_page_writes": "off"}


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid4().hex[:12]}"


@contextmanager
def kafka_address() -> Iterator[str]:
    """OYEZ_TEST_KAFKA, or a broker of our own."""
    given = os.environ.get("OYEZ_TEST_KAFKA")
    if given:
        yield given
        return
    with Kafka() as broker:
        yield broker.bootstrap


@contextmanager
def postgres_address() -> Iterator[str]:
    """OYEZ_TEST_POSTGRES, or the URL of a server of our own."""
    given = os.environ.get("OYEZ_TEST_POSTGRES")
    if given:
        yield given
        return
    with Postgres(settings=UNSAFE) as server:
        yield server.url()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a new database on this server, dropped afterwards."""
    name = unique("oyez_test").replace("-", "_")
    execute(server, f'CREATE DATABASE "{name}"')
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(server: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def make_topic(bootstrap: str, name: str, partitions: int = 4) -> str:
    """Create a topic and wait until it exists; its name."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1)], operation_timeout=30)[name].result(timeout=40)
    return name


def make_topic_again(bootstrap: str, name: str, partitions: int = 4) -> None:
    """Delete a topic and create one of the same name."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.delete_topics([name], operation_timeout=30)[name].result(timeout=40)

    def is_made() -> bool:
        try:
            make_topic(bootstrap, name, partitions)
        except KafkaException as error:  # it is being deleted still
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            return False
        return True

    eventually(is_made)
