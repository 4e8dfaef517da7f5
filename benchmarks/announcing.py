"""Announcing, beside a loop written by hand and beside bytes that were built before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

from accounts import Loop
from arriving import Arrived
from bed import Row, Services, new_topic
from confluent_kafka import Producer
from signals import Viewed, encoded, views

from oyez.producers import Announcer, Settings

TYPE = [("content-type", b"application/cloudevents+json")]


def rows(services: Services, count: int, turns: int) -> list[Row]:
    events = views(count)
    ready = encoded(events)
    topic = new_topic(services.kafka)
    arrived = Arrived(services.kafka, topic).numbers
    by_hand = Row("announce() up to the end of flush()", "isoformat, json.dumps, model_dump_json", 1.4)
    prebuilt = Row("announce() up to the end of flush()", "prebuilt bytes with a header", 0.6)
    for _ in range(turns):
        ours = Loop(lambda: _ours(services, topic, events), arrived)
        by_hand.turn(count, ours, Loop(lambda: _by_hand(services, topic, events), arrived))
        prebuilt.turn(count, ours, Loop(lambda: _ready(services, topic, ready), arrived))
    return [by_hand, prebuilt]


def _ours(services: Services, topic: str, events: list[Viewed]) -> None:
    announcer = Announcer.from_settings(Settings(kafka=services.kafka, topic=topic, transport="kafka"))
    announce = announcer.announce
    for event in events:
        announce(event)
    announcer.close()


def _producer(services: Services, topic: str) -> Producer:
    """Connected as ours is: one that produces at once may wait half a second for its id."""
    made = Producer(
        {
            "bootstrap.servers": services.kafka,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "on_delivery": _delivered,
        }
    )
    for _ in range(2):
        made.list_topics(topic, timeout=10)
    return made


def _delivered(error: object, _message: object) -> None:
    assert error is None, error


def _by_hand(services: Services, topic: str, events: list[Viewed]) -> None:
    producer = _producer(services, topic)
    for number, event in enumerate(events):
        envelope = {
            "specversion": "1.0",
            "type": "page.viewed",
            "source": "bench",
            "id": str(uuid4()),
            "time": datetime.now(UTC).isoformat(),
            "partitionkey": event.session_id,
            "data": json.loads(event.model_dump_json()),
        }
        _send(producer, topic, event.session_id.encode(), json.dumps(envelope).encode(), number)
    assert producer.flush(60) == 0


def _ready(services: Services, topic: str, events: list[tuple[bytes, bytes]]) -> None:
    producer = _producer(services, topic)
    for number, (key, value) in enumerate(events):
        _send(producer, topic, key, value, number)
    assert producer.flush(60) == 0


def _send(producer: Producer, topic: str, key: bytes, value: bytes, number: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key, headers=TYPE)
            break
        except BufferError:
            producer.poll(0.05)
    if number % 100 == 0:
        producer.poll(0)
