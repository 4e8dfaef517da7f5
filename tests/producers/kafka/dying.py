"""Letting a real client die of a fatal error. Its cluster is librdkafka's mock, in its own process."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, TypeVar

import confluent_kafka

from oyez.producers.kafka.transport import KafkaTransport

Plain = TypeVar("Plain", bound=KafkaTransport)

MOCK: Mapping[str, Any] = {"test.mock.num.brokers": 1, "linger.ms": 10_000}
"""Options of a client: nothing leaves before something else is asked of it."""


def die(producer: object) -> None:
    """The broker has fenced it: as librdkafka's own tests let it happen."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)  # with it comes librdkafka
    handle = ctypes.c_void_p.from_address(
        id(producer) + object.__basicsize__
    )  # the first member of the object
    failed = library.rd_kafka_test_fatal_error(
        handle, confluent_kafka.KafkaError.INVALID_PRODUCER_EPOCH, b"fenced"
    )
    assert not failed


def asking_nothing(transport: Plain) -> Plain:
    """It does not ask what a topic takes: a mock cluster never says."""
    transport._limits.begin = lambda _topic, _timeout: lambda: None  # type: ignore[method-assign]
    return transport
