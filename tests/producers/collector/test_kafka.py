"""Over Kafka 202 means that the broker has acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from oyez.consumers.dev.ports import free_port
from producers.collector.running import KEY, event, running, settings
from support.waiting import eventually

SEND = {**KEY, "Content-Type": "application/cloudevents-batch+json"}


@pytest.mark.services
def test_what_is_answered_with_202_is_in_the_topic(kafka: str, topic: str, tmp_path: Path) -> None:
    said = settings(tmp_path, spool=None, kafka=kafka, topic=topic)
    with running(said) as client:
        answer = client.post("/events", json=[event(n) for n in range(20)], headers=SEND)
        assert answer.status_code == 202, answer.text
        assert arrived(kafka, topic) == 20


def arrived(kafka: str, topic: str) -> int:
    """How many events a topic has."""
    reader = Consumer({"bootstrap.servers": kafka, "group.id": "looks"})
    partitions = reader.list_topics(topic, timeout=60).topics[topic].partitions
    ends = [reader.get_watermark_offsets(TopicPartition(topic, n), timeout=60)[1] for n in partitions]
    reader.close()
    return sum(ends)


@pytest.mark.services
@pytest.mark.parametrize("durability", ["spooled", "buffered"])
def test_what_a_collector_has_left_is_shipped_by_the_next_though_nobody_comes(
    durability: str, kafka: str, topic: str, tmp_path: Path
) -> None:
    options = {"durability": durability, "topic": topic, "announce_timeout": 0.5}
    away = settings(tmp_path, kafka=f"127.0.0.1:{free_port()}", transport="kafka", flush_timeout=1, **options)
    with running(away) as client:
        answer = client.post("/events", json=[event(n) for n in range(20)], headers=SEND)
        assert answer.status_code == 202, answer.text
    assert arrived(kafka, topic) == 0
    with running(settings(tmp_path, kafka=kafka, transport="kafka", **options)):
        eventually(lambda: arrived(kafka, topic) == 20)


def test_a_broker_that_is_away_is_told_and_to_send_again(tmp_path: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    said = settings(
        tmp_path, spool=None, kafka=away, announce_timeout=0.2, delivery_timeout=1, flush_timeout=1
    )
    with running(said) as client:
        answer = client.post("/events", json=[event(1), event(2)], headers=SEND)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert [one["result"] for one in answer.json()["results"]] == ["retry", "retry"]
