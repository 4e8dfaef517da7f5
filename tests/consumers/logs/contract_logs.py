"""The logs under the contract suite, and what each needs to be filled and watched."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

from confluent_kafka import Producer

from oyez.consumers.core.record import Record
from oyez.consumers.database.engine import Database
from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.log import Log, LogAway
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.logs.spool.member import SpoolLog
from oyez.consumers.logs.spool.member import partition_of as folder_partition
from oyez.consumers.logs.spool.members import Members
from oyez.producers import MemoryBroker
from oyez.producers.partitioning import partition_of
from oyez.producers.spool import LogReader, Segments, Writer, found_in
from support.services import make_topic_again, unique


class LogSetup(ABC):
    """A topic with four partitions, and members of groups that read it."""

    def __init__(self) -> None:
        self.members: list[Log] = []

    @abstractmethod
    def append(self, key: str, value: str) -> None: ...

    @abstractmethod
    def make_again(self) -> None:
        """Delete the topic, and make one of that name."""

    @abstractmethod
    def member(self, group: str) -> Log: ...

    def number(self, key: str) -> int:
        """The number of a key's partition."""
        return partition_of(key.encode(), 4)

    def after(self, record: Record) -> int:
        """The offset after a record."""
        return record.offset() + 1

    def second(self, partition: Partition) -> int:
        """The offset of a partition's second record."""
        return 1

    def join(self, group: str) -> Log:
        log = self.member(group)
        self.members.append(log)
        return log

    def close(self) -> None:
        for member in self.members:
            member.close()


class MemorySetup(LogSetup):
    def __init__(self) -> None:
        super().__init__()
        self.broker = MemoryBroker(partitions=4)
        self.groups: dict[str, MemoryGroup] = {}

    def append(self, key: str, value: str) -> None:
        self.broker.append("contract", key.encode(), value.encode())

    def make_again(self) -> None:
        self.broker.delete("contract")

    def member(self, group: str) -> Log:
        return self.groups.setdefault(group, MemoryGroup(self.broker, ["contract"])).join()


class SpoolSetup(LogSetup):
    """Four folders, and the database that the members of groups know one another by."""

    def __init__(self, path: Path, database: Database) -> None:
        super().__init__()
        self.path = path
        self.database = database
        self.writers = self._begin()

    def _begin(self) -> list[Writer]:
        made = [Writer(self.path / str(n), "contract", segment_bytes=40, fsync="never") for n in range(4)]
        for writer in made:
            with writer.held():
                writer._size()
        return made

    def append(self, key: str, value: str) -> None:
        self.writers[super().number(key)].append(value.encode())

    def make_again(self) -> None:
        for n in range(4):
            self.writers[n].close()
            rmtree(self.path / str(n))
        self.writers = self._begin()

    def member(self, group: str) -> Log:
        members = Members(self.database, group, unique("member"))
        return SpoolLog(lambda: found_in([self.path], "contract"), members)

    def number(self, key: str) -> int:
        return self._of(super().number(key)).number

    def after(self, record: Record) -> int:
        return record.offset() + len(record.value() or b"") + 1

    def second(self, partition: Partition) -> int:
        for n in range(4):
            if self._of(n) == partition:
                (folder,) = found_in([self.path / str(n)], "contract")
                return LogReader(Segments(folder.path, folder.log_id)).read(0, 1)[2]
        raise AssertionError(partition)

    def _of(self, n: int) -> Partition:
        (folder,) = found_in([self.path / str(n)], "contract")
        return folder_partition(folder)


class KafkaSetup(LogSetup):
    def __init__(self, servers: str, topic: str, options: Mapping[str, Any]) -> None:
        super().__init__()
        # A member that asks for a topic would make it, with as many partitions as the broker likes.
        self.options = {"allow.auto.create.topics": False, **options}
        self.servers = servers
        self.topic = topic
        self.prefix = unique("group")
        self.producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})

    def append(self, key: str, value: str) -> None:
        self.producer.produce(self.topic, key=key.encode(), value=value.encode())
        assert self.producer.flush(20) == 0

    def make_again(self) -> None:
        make_topic_again(self.servers, self.topic)

    def member(self, group: str) -> Log:
        name = f"{self.prefix}.{group}"
        logger = logging.getLogger("test.kafka")
        return KafkaLog(name, [self.topic], servers=self.servers, options=self.options, logger=logger)


class Reading:
    """Members read together, each starting what it gains where `positions` say; as a worker would."""

    def __init__(self, *members: Log) -> None:
        self.members = list(members)
        self.positions: dict[Partition, int] = {}
        self.seen: list[tuple[Log, Record]] = []

    def turn(self) -> None:
        for member in self.members:
            before = member.positions()
            records = member.poll(100, 0.02)
            self.seen.extend((member, record) for record in records)
            self.positions.update(member.positions())
            with suppress(LogAway):  # asked again in the next turn
                gained = member.gained()
                if gained:
                    member.start({p: self._position(member, p) for p in gained})
            assert before is not None

    def _position(self, member: Log, partition: Partition) -> int:
        known = self.positions.get(partition)
        return member.offsets.first_offset(partition, "earliest") if known is None else known

    def until(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        limit = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < limit, f"still not so after {timeout} s; {len(self.seen)} records seen"
            self.turn()

    def values(self) -> list[str]:
        return [record.value().decode() for _, record in self.seen]
