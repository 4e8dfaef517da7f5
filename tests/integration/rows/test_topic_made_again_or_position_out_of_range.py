"""A topic that is deleted and made again, and a position that is not in its partition any more."""

from __future__ import annotations

import json

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from integration.rows.conftest import Place
from integration.rows.stand import Stand
from integration.rows.till import Placed
from support.processes import Program
from support.services import make_topic_again
from support.waiting import eventually

GROUP = "rows.placed"


def halted(till: Stand, listening: Program, count: int) -> list[str]:
    """Wait until all partitions that have something are halted; what `oyez status` says of them."""
    eventually(lambda: listening.output().count("is not read any more") >= count, 60)
    return [
        one["halted"] for one in till.status(GROUP)["partitions"] if one["halted"] and one["end"] is not None
    ]


def test_a_topic_made_again_stops_loudly_until_the_group_is_rewound(stand: Place) -> None:
    # Or it is made again by those who listen.
    till = stand(kafka_options=json.dumps({"allow.auto.create.topics": False}))
    listening = till.listen(GROUP)
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(8)))
    till.until_handled(range(8))
    make_topic_again(till.kafka, till.topic)
    eventually(lambda: listening.output().count("is not read any more") >= 4, 60)
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(8, 16)), source="web-1")
    why = halted(till, listening, 4)
    assert len(why) == 4
    assert all(
        "was made again" in one and f"oyez rewind {till.group(GROUP)} --to earliest" in one for one in why
    )
    assert till.count() == 8

    till.json("rewind", till.group(GROUP), "--to", "earliest", "--yes")
    till.until_handled(range(16), "place", "pack")
    assert "ended with" not in listening.output()
    assert listening.stop() == 0


def test_a_position_out_of_range_stops_its_partition_loudly_until_it_is_rewound(stand: Place) -> None:
    till = stand(partitions=2)
    listening = till.listen(GROUP)
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(8)))
    till.until_handled(range(8))
    assert listening.stop() == 0

    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(8, 16)))
    ends = {one["partition"]: one["end"] for one in till.status(GROUP)["partitions"]}
    gone = [TopicPartition(till.topic, number, end) for number, end in ends.items()]
    admin = AdminClient({"bootstrap.servers": till.kafka})
    for done in admin.delete_records(gone).values():
        done.result(30)

    again = till.listen(GROUP)
    why = halted(till, again, 2)
    assert len(why) == 2
    assert all(
        "is not in it" in one and f"oyez rewind {till.group(GROUP)} --to earliest" in one for one in why
    )
    till.json("rewind", till.group(GROUP), "--to", "earliest", "--yes")
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(16, 24)))
    till.until_handled([*range(8), *range(16, 24)], "place", "pack")
    assert again.stop() == 0
