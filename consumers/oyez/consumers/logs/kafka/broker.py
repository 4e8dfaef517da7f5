"""What the broker itself says of partitions, asked past a member's own client."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # missing from __all__

from ...database.positions import Partition
from .assignment import named
from .client_config import without_membership
from .coordinator import LONGEST, RenewedClient
from .membership import Membership, membership_of

ANSWER = 4.0  # s
Spec: Any = OffsetSpec  # its methods have no annotations


class Broker:
    """Asks with clients of its own; ``config`` is the member's."""

    def __init__(self, config: Mapping[str, Any], admin: Mapping[str, Any]) -> None:
        """``admin`` is what an administrative client takes of it."""
        self._config = {
            **without_membership(config),
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "log_level": 0,
        }
        self._admin = RenewedClient(lambda: AdminClient(dict(admin)))
        self._asked: dict[Partition, Future[Any]] = {}
        self._group: Future[Any] | None = None
        is_plain = config.get("isolation.level") == "read_uncommitted"
        self._level = IsolationLevel.READ_UNCOMMITTED if is_plain else IsolationLevel.READ_COMMITTED

    def ask_ends(self, partitions: Collection[Partition]) -> None:
        """Ask where these end for whoever reads as the member does; nobody waits for the answer."""
        self._asked = {}
        if not partitions:
            return
        wanted = {named(p): Spec.latest() for p in partitions}
        answers = self._admin.client.list_offsets(wanted, isolation_level=self._level, request_timeout=ANSWER)
        by_name = {(one.topic, one.partition): answer for one, answer in answers.items()}
        self._asked = {p: by_name[p.topic, p.number] for p in partitions}

    def ends(self) -> Mapping[Partition, int]:
        """What was answered to the last question; what was not is left out."""
        return {
            partition: int(answer.result().offset)
            for partition, answer in self._asked.items()
            if answer.done() and answer.exception() is None
        }

    def ask_group(self) -> None:
        """Ask who is in the group; nobody waits for the answer, and not for the one before any more."""
        if self._group is not None and not self._group.done():
            self._admin.give_up()
        group = str(self._config["group.id"])
        asked = self._admin.client.describe_consumer_groups([group], request_timeout=LONGEST)
        self._group = asked[group]

    def membership(self, member: str) -> Membership | None:
        """What was answered of this member to the last question; None if nothing was."""
        if self._group is None or not self._group.done() or self._group.exception() is not None:
            return None
        return membership_of(self._group.result(), member)

    def readable(self, positions: Mapping[Partition, int]) -> Mapping[Partition, bool]:
        """Whether partitions give another client a record at their position or after it, or are at their end for it
        too. What gives no answer within some seconds is left out. It joins no group."""
        consumer = Consumer(self._config)
        try:
            consumer.assign([named(p, at) for p, at in positions.items()])
            return self._read(consumer, set(positions))
        finally:
            consumer.close()

    def _read(self, consumer: Consumer, asked: set[Partition]) -> Mapping[Partition, bool]:
        found: dict[Partition, bool] = {}
        by_name = {(p.topic, p.number): p for p in asked}
        waiting, until = set(asked), time.monotonic() + ANSWER
        while waiting and (left := until - time.monotonic()) > 0:
            message = consumer.poll(left)
            if message is None:
                continue
            partition = by_name.get((str(message.topic()), int(message.partition() or 0)))
            error = message.error()
            if partition is None or (error is not None and error.code() != KafkaError._PARTITION_EOF):  # noqa: SLF001
                continue
            waiting.discard(partition)
            found[partition] = error is None
        return found
