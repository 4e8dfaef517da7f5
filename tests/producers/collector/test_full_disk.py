"""A disk that is full while events come: each 202 is stored once, and everything else is told."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from producers.collector.running import KEY, event, running, settings
from support.small_disk import small_disk
from support.spooled import spooled

SEND = {**KEY, "Content-Type": "application/cloudevents-batch+json"}


def batch(number: int) -> list[dict[str, object]]:
    return [event(order, data={"visitor": "v" * 200, "order": order}) for order in range(number, number + 10)]


def send(client: httpx.Client, number: int) -> httpx.Response:
    return client.post("/events", json=batch(number), headers=SEND)


def stored(answer: httpx.Response) -> list[str]:
    return [one["id"] for one in answer.json()["results"] if one["result"] in {"ok", "duplicate"}]


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_a_full_disk_is_told_and_nothing_is_lost_or_doubled() -> None:
    with small_disk(4) as disk, running(settings(disk.folder)) as client, ThreadPoolExecutor(4) as pool:
        first = list(pool.map(lambda n: send(client, n), range(0, 200, 10)))
        disk.fill()
        meanwhile = list(pool.map(lambda n: send(client, n), range(200, 1200, 10)))
        disk.free()
        again = list(pool.map(lambda n: send(client, n), range(0, 1200, 10)))
        kept = spooled(disk.folder)
    assert {one.status_code for one in first + again} == {202}
    said = Counter(one.status_code for one in meanwhile)
    assert said.keys() <= {202, 503}
    assert said[503]
    for one in meanwhile:
        if one.status_code == 503:
            assert one.headers["Retry-After"]
            assert "No space left" in one.text
    assert {name for answer in first + meanwhile + again for name in stored(answer)} == kept.keys()
    assert len(kept) == 1200
