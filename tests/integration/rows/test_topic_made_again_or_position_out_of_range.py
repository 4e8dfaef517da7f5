"""A topic that is deleted and made again, and a position that is not in its partition any more."""

from __future__ import annotations

import json

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from integration.rows.conftest import Place
from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Placed
from support.processes import Program
from support.services import make_topic_again
from support.waiting import eventually

GROUP = "rows.placed"


def halted(scripted_app: RunningApp, listening: Program, count: int) -> list[str]:
    """Wait until all partitions that have something are halted; what `oyez status` says of them."""
    eventually(lambda: listening.output().count("is not read any more") >= count, 60)
    return [
        one["halted"]
        for one in scripted_app.status(GROUP)["partitions"]
        if one["halted"] and one["end"] is not None
    ]


def test_a_topic_made_again_stops_loudly_until_the_group_is_rewound(running_app: Place) -> None:
    # Or it is made again by those who listen.
    scripted_app = running_app(kafka_options=json.dumps({"allow.auto.create.topics": False}))
    listening = scripted_app.listen(GROUP)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(8)))
    scripted_app.until_handled(range(8))
    make_topic_again(scripted_app.kafka, scripted_app.topic)
    eventually(lambda: listening.output().count("is not read any more") >= 4, 60)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(8, 16)), source="web-1")
    why = halted(scripted_app, listening, 4)
    assert len(why) == 4
    assert all(
        "was made again" in one and f"oyez rewind {scripted_app.group(GROUP)} --to earliest" in one
        for one in why
    )
    assert scripted_app.count() == 8

    scripted_app.json("rewind", scripted_app.group(GROUP), "--to", "earliest", "--yes")
    scripted_app.until_handled(range(16), "place", "pack")
    assert "ended with" not in listening.output()
    assert listening.stop() == 0


def test_a_position_out_of_range_stops_its_partition_loudly_until_it_is_rewound(running_app: Place) -> None:
    scripted_app = running_app(partitions=2)
    listening = scripted_app.listen(GROUP)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(8)))
    scripted_app.until_handled(range(8))
    assert listening.stop() == 0

    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(8, 16)))
    ends = {one["partition"]: one["end"] for one in scripted_app.status(GROUP)["partitions"]}
    gone = [TopicPartition(scripted_app.topic, number, end) for number, end in ends.items()]
    admin = AdminClient({"bootstrap.servers": scripted_app.kafka})
    for done in admin.delete_records(gone).values():
        done.result(30)

    again = scripted_app.listen(GROUP)
    why = halted(scripted_app, again, 2)
    assert len(why) == 2
    assert all(
        "is not in it" in one and f"oyez rewind {scripted_app.group(GROUP)} --to earliest" in one
        for one in why
    )
    scripted_app.json("rewind", scripted_app.group(GROUP), "--to", "earliest", "--yes")
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(16, 24)))
    scripted_app.until_handled([*range(8), *range(16, 24)], "place", "pack")
    assert again.stop() == 0
