"""A broker that is away when an application starts: what is announced meanwhile costs nothing that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from oyez.producers import TransportRefused
from oyez.producers.kafka.limits import Limits
from oyez.producers.kafka.transport import KafkaTransport
from support.waiting import eventually

NOBODY = "127.0.0.1:1"
TIMES = 10
ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="files and threads are counted there"
)


def held(what: str) -> int:
    """How many files (`fd`) or threads (`task`) this process has."""
    return len(list(Path("/proc/self", what).iterdir()))


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


@ON_LINUX
@pytest.mark.usefixtures("without_collections")
def test_who_has_asked_in_vain_keeps_nothing() -> None:
    limits = Limits(NOBODY, {})
    assert limits.of("t", 0.1) is None
    files, threads = held("fd"), held("task")
    for _ in range(TIMES):
        assert limits.begin("t", 0.1)() is None
    eventually(lambda: held("fd") < files + TIMES)
    eventually(lambda: held("task") < threads + TIMES)
