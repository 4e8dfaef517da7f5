"""Forgetting what could not be decoded: its row has the key of its record, at most; whose it is stands in its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.admin.test_forget import forgotten, found, person, shop
from consumers.pipeline import TOPIC, Pipeline, Play
from oyez.consumers.reports.personal import stored
from oyez.producers import MemoryBroker

BINARY = [("content-type", b"application/json")]


def event(who: str, *, data: str = '{"n":"x"}', **said: str) -> bytes:
    """One whose data is wrong."""
    known = {"specversion": "1.0", "type": "placed", "source": "php", "id": f"bad-{who}"}
    return f'{json.dumps(known | said)[:-1]},"data":{data}}}'.encode()


def binary(who: str, **said: str) -> list[tuple[str, bytes]]:
    known = {"specversion": "1.0", "type": "placed", "source": "php", "id": f"bad-{who}"}
    return BINARY + [(f"ce_{name}", value.encode()) for name, value in (known | said).items()]


def by_key(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, None, event(who, partitionkey=who))


def by_subject(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, b"k", event(who, subject=who))


def in_binary_mode(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, None, b'{"n":"x"}', binary(who, partitionkey=who))


def in_binary_mode_by_subject(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, None, b'{"n":"x"}', binary(who, subject=who))


def by_message_key(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, who.encode(), event(who, partitionkey=who))


def in_json_that_is_refused(broker: MemoryBroker, who: str) -> None:
    broker.append(TOPIC, None, event(who, partitionkey=who, data=r'{"k":"\ud800"}'))


WAYS: Any = (
    by_key,
    by_subject,
    in_binary_mode,
    in_binary_mode_by_subject,
    by_message_key,
    in_json_that_is_refused,
)


@pytest.fixture
def ours(play: Play) -> Pipeline:
    return play(shop(set()))


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_once_and_gone(ours: Pipeline, way: Any) -> None:
    for who in ("anna", "bert"):
        way(ours.broker, who)
    ours.broker.append(TOPIC, None, b"\xff")
    ours.run()
    assert ours.rows("dead", "reason") == ["undecodable"] * 3
    with ours.engine.connect() as db:
        (one,) = stored(db, person(ours, "anna"), [])
    assert one.where == "dead"
    assert "anna" in str(one.content)
    done = forgotten(ours, "anna")["dead"]
    assert (done.found, done.removed, done.left) == (1, 1, 0)
    assert not found(ours, person(ours, "anna")).counts["dead"]
    assert found(ours, person(ours, "bert")).counts["dead"] == 1
    assert len(ours.rows("dead", "id")) == 2


def test_a_key_is_no_subject_where_that_is_said(ours: Pipeline) -> None:
    by_key(ours.broker, "anna")
    by_subject(ours.broker, "anna")
    ours.run()
    for said in ({"is_key": False}, {"is_subject": False}):
        assert found(ours, person(ours, "anna", **said)).counts["dead"] == 1
