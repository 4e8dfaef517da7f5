"""Which partitions are not read, why and since when: `oyez status`."""

from __future__ import annotations

import json
import sqlite3

from consumers.cli.running import Shop

GROUP = "clishop.cli.ticked"
WHY = "the topic was made again"


def halt(shop: Shop, topic_id: str) -> None:
    shop.print("db", "upgrade")
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        row = (GROUP, topic_id, 1, shop.settings["OYEZ_TOPIC"], 7, 1, "", WHY, 86_400.0, 0.0)
        names = (
            "group_name, topic_id, partition, topic, position, epoch, owner, halted, halted_at, updated_at"
        )
        db.execute(f"INSERT INTO oyez_position ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def partitions(shop: Shop, *flags: str) -> dict[int, list[dict[str, object]]]:
    states = json.loads(shop.print("status", "--json", *flags))
    (state,) = [one for one in states if one["group"] == GROUP]
    found: dict[int, list[dict[str, object]]] = {}
    for one in state["partitions"]:
        found.setdefault(one["partition"], []).append(one)
    return found


def test_a_halted_partition_without_kafka(shop: Shop) -> None:
    """The group is an at-least-once one: how far it has read is for Kafka to say."""
    halt(shop, "id")
    ((one,),) = partitions(shop, "--no-lag").values()
    assert (one["position"], one["halted"], one["halted_at"]) == (None, WHY, "1970-01-02T00:00:00.000Z")
    text = shop.print("status", "--no-lag")
    assert (
        f"{GROUP}\t{shop.settings['OYEZ_TOPIC']}\t1\tunknown\tunknown\tunknown\t-\t1970-01-02T00:00:00.000Z\t{WHY}"
        in text
    )


def test_a_halted_partition_of_a_topic_that_was_made_again(shop: Shop) -> None:
    halt(shop, "of the topic before")
    found = partitions(shop)
    assert set(found) == {0, 1, 2, 3}
    new, old = found[1]
    assert (new["position"], new["halted"], new["end"]) == (None, None, 0)
    assert (old["position"], old["halted"], old["end"]) == (7, WHY, None)


def test_what_keeps_a_partition_from_getting_on_is_said(shop: Shop) -> None:
    halt(shop, "id")
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        db.execute(
            "UPDATE oyez_position SET halted = NULL, halted_at = NULL, trouble = '60 of 60 failed alike'"
        )
    ((one,),) = partitions(shop, "--no-lag").values()
    assert (one["halted"], one["trouble"]) == (None, "60 of 60 failed alike")
    assert "60 of 60 failed alike" in shop.print("status", "--no-lag")
