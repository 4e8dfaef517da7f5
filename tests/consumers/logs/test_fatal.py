"""What is said of a client that is at its end, and which of its errors are that."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from consumers.pipeline import one_line
from oyez.consumers.logs.kafka.client_config import options_of_worker
from oyez.consumers.logs.kafka.fatal import ended_by, is_fatal

BEAT = "Fatal error: Broker: {0}: ConsumerGroupHeartbeat fatal error: Broker: {0}"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "Static consumer fenced by other consumer with same group.instance.id",
            "group.instance.id (here-0)",
        ),
        (
            "The instance ID is still used by another member in the consumer group",
            "the id here-0 for the worker",
        ),
        ("The group id does not exist", "stop all of its workers to change it"),
        ("The assignor or its version range is not supported by the consumer group", "group.remote.assignor"),
    ],
)
def test_one_line_says_why_and_what_to_do(said: str, hint: str) -> None:
    error = KafkaError(KafkaError._FATAL, BEAT.format(said))
    assert is_fatal(error)
    assert not error.fatal(), "as it comes from poll"
    line = one_line(ended_by(error, {"group.instance.id": "here-0"}), f"Kafka: {said}; ", hint)
    assert line.count(said) == 1


def test_an_error_that_is_not_known_is_said_as_it_is() -> None:
    assert str(ended_by(KafkaError(KafkaError._FATAL, "Fatal error: odd"), {})) == "Kafka: Fatal error: odd"


def test_what_the_client_gets_over_is_not_fatal() -> None:
    assert not is_fatal(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert not is_fatal(KafkaError(KafkaError.INCONSISTENT_GROUP_PROTOCOL))


def test_workers_get_an_instance_of_their_own_and_a_pass_has_none() -> None:
    given = {"group.instance.id": "web", "fetch.min.bytes": 1}
    assert options_of_worker(given, 0)["group.instance.id"] == "web-0"
    assert options_of_worker(given, 1) == {"group.instance.id": "web-1", "fetch.min.bytes": 1}
    assert options_of_worker(given, None) == {"fetch.min.bytes": 1}
    assert options_of_worker({"fetch.min.bytes": 1}, 1) == {"fetch.min.bytes": 1}
