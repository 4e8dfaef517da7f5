"""Sources whose keys are in other partitions than ours would be: `oyez status`."""

from __future__ import annotations

import json
import sqlite3

from consumers.cli.running import Shop

GROUP = "clishop.cli.ticked"


def test_sources_of_misplaced_keys_are_listed(shop: Shop) -> None:
    shop.print("db", "upgrade")
    assert "of misplaced keys" not in shop.print("status", "--no-lag")
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        names = "group_name, topic, source, count, key, partition, belongs, advice, seen_at"
        row = (GROUP, "events", "/orders", 17, "s1", 3, 5, "in turn: set murmur2", 0.0)
        db.execute(f"INSERT INTO oyez_misplaced ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert f"{GROUP}\tevents\t/orders\t17\ts1\t3\t5\tin turn: set murmur2" in shop.print("status", "--no-lag")
    states = json.loads(shop.print("status", "--no-lag", "--json"))
    assert {one["group"]: one["misplaced"] for one in states if one["misplaced"]} == {
        GROUP: [
            {
                "topic": "events",
                "source": "/orders",
                "count": 17,
                "key": "s1",
                "partition": 3,
                "belongs": 5,
                "advice": "in turn: set murmur2",
            }
        ]
    }
