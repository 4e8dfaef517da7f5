"""Asking a broker that has just come back."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from visits.kafka import Topic


class FencedAdmin:
    """MOCK of AdminClient: refuses so many questions as asked with an old epoch. When a broker does, is its affair."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.asked = self.read_again = 0

    def list_topics(self, topic: str, timeout: float) -> Any:
        self.read_again += 1
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions={0: None, 1: None})})

    def list_offsets(self, asked: Mapping[TopicPartition, object]) -> dict[TopicPartition, Future[Any]]:
        self.asked += 1
        answers: dict[TopicPartition, Future[Any]] = {partition: Future() for partition in asked}
        for answer in answers.values():
            if self.asked <= self.refusals:
                answer.set_exception(KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH)))
            else:
                answer.set_result(SimpleNamespace(offset=7))
        return answers


def topic_of(admin: FencedAdmin, seconds: list[float]) -> Topic:
    topic = Topic("127.0.0.1:1", "t", timer=lambda: seconds.pop(0))
    topic._admin = admin  # type: ignore[assignment]
    return topic


def test_what_is_asked_with_an_old_epoch_is_asked_again() -> None:
    admin = FencedAdmin(refusals=2)
    assert topic_of(admin, [0.0, 1.0, 2.0]).ends() == {0: 7, 1: 7}
    assert (admin.asked, admin.read_again) == (3, 3)


def test_but_not_for_ever() -> None:
    admin = FencedAdmin(refusals=9)
    with pytest.raises(KafkaException, match="FENCED_LEADER_EPOCH"):
        topic_of(admin, [0.0, 1.0, 5.1]).ends()
    assert admin.asked == 2
