"""The services that tests use: those named in the environment, else packaged ones."""

from oyez.consumers.testing.kafka_topics import make_topics
from oyez.consumers.testing.real_services import (
    UNSAFE,
    execute,
    fresh_database,
    kafka_address,
    postgres_address,
    unique,
)

__all__ = [
    "UNSAFE",
    "execute",
    "fresh_database",
    "kafka_address",
    "make_topic",
    "make_topic_again",
    "postgres_address",
    "unique",
]


def make_topic(bootstrap: str, name: str, partitions: int = 4) -> str:
    """Create a topic and wait until it exists; its name."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1)], operation_timeout=30)[name].result(timeout=40)
    return name


def make_topic_again(bootstrap: str, name: str, partitions: int = 4) -> None:
    """Delete a topic and create one of the same name."""
    make_topics(bootstrap, [name], partitions)
