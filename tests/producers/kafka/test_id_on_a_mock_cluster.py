"""The idempotent producer asks for its id before the first event: otherwise that one waits half a second.

The cluster is librdkafka's mock, in the client's own process. On a real broker the same happens, but only now and then:
it depends on how long the broker takes to answer.
"""

from __future__ import annotations

import logging

import pytest

from oyez.producers.kafka.config import producer_config
from oyez.producers.kafka.link import Link, librdkafka_log

TURNS = 10  # of a client that has asked once, half had asked for their id


@pytest.mark.parametrize("brokers", [1, 3])
def test_a_client_that_is_connected_has_asked_for_its_id(
    brokers: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, librdkafka_log.name)
    config = producer_config("mock", {"test.mock.num.brokers": brokers, "debug": "eos"}, 30.0)
    asked = 0
    for _ in range(TURNS):
        caplog.clear()
        link = Link(config, 5.0, lambda _value, _why: None)
        link.connect("opened")
        link.producer.poll(0)  # it says what it has done
        asked += "Acquiring ProducerId" in caplog.text
        assert link.away is None
        link.close(5.0)
    assert asked == TURNS
