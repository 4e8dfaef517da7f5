"""A worker that loses some of its partitions in the middle of a batch, under each rebalance protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed
from oyez.producers.partitioning import partition_of
from support.waiting import eventually

GROUP = "rows.placed"
PROTOCOLS: dict[str, dict[str, Any]] = {
    "cooperative": {"partition.assignment.strategy": "cooperative-sticky"},
    "eager": {"partition.assignment.strategy": "range"},
    "the broker's": {"group.protocol": "consumer"},
}


@pytest.mark.parametrize("options", PROTOCOLS.values(), ids=PROTOCOLS)
def test_nothing_is_lost_or_doubled(running_app: Place, options: dict[str, Any]) -> None:
    scripted_app = running_app(kafka_options=json.dumps(options), budget=100, idle_in_transaction=200)
    first = scripted_app.listen(GROUP)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(20)))
    scripted_app.until_handled(range(20), "place", "pack")
    # A batch from one partition: it holds that one's row, and the others may be taken.
    held = [n for n in range(20, 120) if partition_of(f"k{n % 20}".encode(), 4) == partition_of(b"k0", 4)]
    scripted_app.announce(*(Placed(k=f"k{n % 20}", n=n, asks="wait" if n == 40 else "") for n in held))
    eventually((scripted_app.folder / "inside").exists, 60)

    second = scripted_app.listen(GROUP)
    scripted_app.announce(*(Placed(k=f"k{n % 20}", n=n) for n in range(120, 160)))
    eventually(lambda: len(set(scripted_app.rows("position", "owner"))) == 2, 60)
    (scripted_app.folder / "go").touch()
    scripted_app.until_handled([*range(20), *held, *range(120, 160)], "place", "pack", timeout=90)
    eventually(lambda: len(set(scripted_app.rows("position", "owner"))) == 2, 60)
    assert scripted_app.rows("dead", "id") == scripted_app.rows("parked", "id") == []
    in_order(scripted_app.effects("place"))
    in_order(scripted_app.effects("pack"))
    assert (first.stop(), second.stop()) == (0, 0)


def in_order(numbers: list[int]) -> None:
    """Each key's, as they were announced."""
    for key in range(20):
        own = [n for n in numbers if n % 20 == key]
        assert own == sorted(own), key
