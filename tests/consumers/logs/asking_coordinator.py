"""A program that asks a group's coordinator, for as long as it lives: ``python -m … SERVERS TOPIC``. Each round it says
who answered."""

from __future__ import annotations

import itertools
import sys
from contextlib import suppress

from confluent_kafka import KafkaException

from oyez.consumers.logs.kafka.broker import Broker
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from oyez.consumers.logs.offsets import AT_LEAST_ONCE, Ends, PartitionEnds


def main(servers: str, topic: str) -> None:
    client = {"bootstrap.servers": servers, "log_level": 0}
    broker = Broker({**client, "group.id": "asked"}, client)
    offsets = KafkaOffsets(servers, {})
    for n in itertools.count():
        said = set()
        broker.ask_group()
        with suppress(KafkaException):
            offsets.commit("asked", {(topic, 0): n}, AT_LEAST_ONCE)
            said.add("set")
        with suppress(KafkaException):
            offsets.committed("asked", [Ends(topic, "id", {0: PartitionEnds(0, 0)})])
            said.add("committed")
        if broker.membership("nobody") is not None:
            said.add("members")
        print("said:", *sorted(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
