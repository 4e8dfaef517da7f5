"""What Kafka says of many topics is asked at once: each has its own, and one that is not there has nothing."""

from __future__ import annotations

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from oyez.consumers.logs.kafka.inspection import KafkaInspection
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from oyez.consumers.logs.offsets import Ends, PartitionEnds
from support.waiting import eventually

LONG = 10**10
"""Seconds: what is of 1970 is kept."""


def ends(kafka: str, topics: list[str]) -> list[Ends] | None:
    """What Kafka says of these; None as long as a new partition has no leader."""
    try:
        return KafkaOffsets(kafka, {}).ends(topics)
    except KafkaException:
        return None


def test_each_topic_has_its_own(kafka: str, topic: str) -> None:
    names = [f"{topic}.{n}" for n in range(3)]
    made = [
        NewTopic(name, n + 1, 1, config={"retention.ms": f"{(n + 1) * LONG}000"})
        for n, name in enumerate(names)
    ]
    admin = AdminClient({"bootstrap.servers": kafka})
    for answer in admin.create_topics(made).values():
        answer.result()
    producer = Producer({"bootstrap.servers": kafka})
    for n in (1, 2):
        for count in range(n):
            producer.produce(names[n], b"x", partition=count, timestamp=1_000_000 * n)
    producer.flush()
    asked = [*reversed(names), f"{topic}.none"]
    found = eventually(lambda: ends(kafka, asked))
    assert [(one.topic, one.partitions) for one in found] == [
        (names[0], {0: PartitionEnds(0, 0)}),
        (names[1], {0: PartitionEnds(0, 1), 1: PartitionEnds(0, 0)}),
        (names[2], {0: PartitionEnds(0, 1), 1: PartitionEnds(0, 1), 2: PartitionEnds(0, 0)}),
    ]
    assert len({one.topic_id for one in found}) == 3
    facts = KafkaInspection(kafka, {}).topics(asked)
    assert sorted((one.topic, one.partitions, one.retention, one.newest) for one in facts) == [
        (names[0], 1, 1 * LONG, None),
        (names[1], 2, 2 * LONG, 1_000.0),
        (names[2], 3, 3 * LONG, 2_000.0),
    ]
