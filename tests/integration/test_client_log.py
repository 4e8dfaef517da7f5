"""What the Kafka client says: a line for each change, none for each attempt."""

from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError

from oyez.consumers.logs.kafka.client_log import ClientLog


@pytest.fixture
def client_log(caplog: pytest.LogCaptureFixture) -> ClientLog:
    caplog.set_level(logging.INFO)
    return ClientLog(logging.getLogger("test.kafka"), "broker:9092")


def test_away_and_back_is_a_line_each(client_log: ClientLog, caplog: pytest.LogCaptureFixture) -> None:
    client_log.heard()
    for _ in range(3):
        client_log.log(logging.ERROR, "%s [%s] %s", "FAIL", "consumer-1", "Connection refused")
        client_log.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        client_log.on_error(KafkaError(KafkaError._TRANSPORT))
    client_log.heard()
    client_log.heard()
    assert caplog.messages == ["Kafka at broker:9092 is away; reconnecting", "Kafka at broker:9092 is back"]


def test_other_lines_pass(client_log: ClientLog, caplog: pytest.LogCaptureFixture) -> None:
    client_log.log(logging.WARNING, "%s [%s] %s", "SESSTMOUT", "consumer-1", "timed out")
    assert caplog.messages == ["SESSTMOUT [consumer-1] timed out"]


def test_offsets_that_are_refused_for_good_are_said_once(
    client_log: ClientLog, caplog: pytest.LogCaptureFixture
) -> None:
    client_log.on_commit(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), [])
    assert caplog.messages == []
    for _ in range(3):
        client_log.on_commit(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])
    assert len(caplog.messages) == 1
    client_log.on_commit(None, [])
    client_log.on_commit(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])
    assert len(caplog.messages) == 2


def test_what_a_member_is_told_again_and_again_is_said_once(
    client_log: ClientLog, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        client_log.trouble(KafkaError(KafkaError.INCONSISTENT_GROUP_PROTOCOL))
    client_log.trouble(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))
    client_log.heard()
    client_log.trouble(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))
    assert len(caplog.messages) == 3


def test_a_fatal_error_is_kept(client_log: ClientLog) -> None:
    client_log.on_error(KafkaError(KafkaError._FENCED, "another has this instance's id", True))
    assert client_log.fatal is not None
