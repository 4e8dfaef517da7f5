"""Topics of a test in a real broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

PARTITIONS = 4
SECONDS = 40.0  # that the broker has for an answer, and for a topic that is being deleted
PAUSE = 0.05  # s; between two questions


def make_topics(
    bootstrap: str,
    names: Collection[str],
    partitions: int = PARTITIONS,
    *,
    timer: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make these topics, each with so many partitions. Those that there are, are made again, with nothing in them.
    Raises KafkaException."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    end = timer() + SECONDS
    for name in names:
        while not _is_made(admin, name, partitions, is_last=timer() > end):
            sleep(PAUSE)


def count_records(bootstrap: str, names: Collection[str]) -> int:
    """How many records have been produced to these topics, as far as there are such. Raises KafkaException."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    there = admin.list_topics(timeout=SECONDS).topics
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    ends = {
        TopicPartition(name, n): latest for name in names if name in there for n in there[name].partitions
    }
    found = admin.list_offsets(ends, request_timeout=SECONDS)
    return sum(end.result(timeout=SECONDS).offset for end in found.values())


def _is_made(admin: AdminClient, name: str, partitions: int, *, is_last: bool) -> bool:
    """False as long as one of this name is there, which is deleted."""
    made = admin.create_topics([NewTopic(name, partitions, 1)], operation_timeout=SECONDS)[name]
    try:
        made.result(timeout=SECONDS)
    except KafkaException as error:
        if is_last or error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        _delete(admin, name)
        return False
    return True


def _delete(admin: AdminClient, name: str) -> None:
    """Unless somebody has."""
    gone = admin.delete_topics([name], operation_timeout=SECONDS)[name]
    try:
        gone.result(timeout=SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
