"""A broker that is away when an application starts: what is announced meanwhile costs nothing that stays."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator

import pytest

from oyez.producers import TransportRefused
from oyez.producers.kafka.limits import Limits
from oyez.producers.kafka.transport import KafkaTransport
from support.waiting import eventually

NOBODY = "127.0.0.1:1"
TIMES = 10


@pytest.fixture
def without_collections() -> Iterator[None]:
    """Nothing in a cycle is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_the_broker_is_not_asked_for_limits_again_and_again() -> None:
    transport = KafkaTransport(NOBODY, announce_timeout=0.2)
    asked: list[str] = []
    begin = transport._limits.begin

    def counted(topic: str, timeout: float) -> object:
        asked.append(topic)
        return begin(topic, timeout)

    transport._limits.begin = counted  # type: ignore[assignment,method-assign]
    for topic in ["t", "t", "u"]:
        with pytest.raises(TransportRefused, match="is away"):
            transport.send(topic, None, b"x")
    transport.close(0.0)
    assert asked == ["t"]


@pytest.mark.usefixtures("without_collections")
def test_who_has_asked_in_vain_keeps_nothing() -> None:
    limits = Limits(NOBODY, {})
    assert limits.of("t", 0.1) is None
    before, threads = len(os.listdir("/proc/self/fd")), os.listdir("/proc/self/task")
    for _ in range(TIMES):
        assert limits.begin("t", 0.1)() is None
    eventually(lambda: len(os.listdir("/proc/self/fd")) < before + TIMES)
    eventually(lambda: len(os.listdir("/proc/self/task")) < len(threads) + TIMES)
    assert threading.active_count() < TIMES + 5
