"""The small application beside a log that is so long that nobody sees the end of looking back."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from shop import on

from oyez.consumers.core.record import Record
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.tail import KafkaTail
from oyez.consumers.logs.spool.tail import SpoolTail

__all__ = ["on"]
Read = Callable[[Any, Partition, int, int], Iterator[Record]]


def endless(read: Read) -> Read:
    """Gives the first record of a partition again and again."""

    def again(tail: Any, partition: Partition, begin: int, end: int) -> Iterator[Record]:
        records = read(tail, partition, begin, end)
        for record in records:
            print("it looks back", file=sys.stderr, flush=True)
            while True:
                yield record

    return again


KafkaTail.read = endless(KafkaTail.read)
SpoolTail.read = endless(SpoolTail.read)
