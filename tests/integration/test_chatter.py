"""What the Kafka client says: a line for each change, none for each attempt."""

from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError

from oyez.consumers.logs.client_log import Chatter


@pytest.fixture
def chatter(caplog: pytest.LogCaptureFixture) -> Chatter:
    caplog.set_level(logging.INFO)
    return Chatter(logging.getLogger("test.kafka"), "broker:9092")


def test_away_and_back_is_a_line_each(chatter: Chatter, caplog: pytest.LogCaptureFixture) -> None:
    chatter.heard()
    for _ in range(3):
        chatter.log(logging.ERROR, "%s [%s] %s", "FAIL", "consumer-1", "Connection refused")
        chatter.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        chatter.on_error(KafkaError(KafkaError._TRANSPORT))
    chatter.heard()
    chatter.heard()
    assert caplog.messages == ["Kafka at broker:9092 is away; reconnecting", "Kafka at broker:9092 is back"]


def test_other_lines_pass(chatter: Chatter, caplog: pytest.LogCaptureFixture) -> None:
    chatter.log(logging.WARNING, "%s [%s] %s", "SESSTMOUT", "consumer-1", "timed out")
    assert caplog.messages == ["SESSTMOUT [consumer-1] timed out"]


def test_offsets_that_are_refused_for_good_are_said_once(
    chatter: Chatter, caplog: pytest.LogCaptureFixture
) -> None:
    chatter.on_commit(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), [])
    assert caplog.messages == []
    for _ in range(3):
        chatter.on_commit(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])
    assert len(caplog.messages) == 1
    chatter.on_commit(None, [])
    chatter.on_commit(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])
    assert len(caplog.messages) == 2


def test_a_fatal_error_is_kept(chatter: Chatter) -> None:
    chatter.on_error(KafkaError(KafkaError._FENCED, "another has this instance's id", True))
    assert chatter.fatal is not None
