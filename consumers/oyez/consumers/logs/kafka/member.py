"""The log on Kafka: one member of one consumer group.

Rebalance callbacks run inside `poll`, in the worker's own thread; they only note what happened. Nothing is
ever raised in one: librdkafka would lose messages, and `close` might never return.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from oyez.producers import SettingsError

from ...core.record import Record
from ...database.positions import Partition
from ..log import LogError, Stalled, Standing
from .assignment import assigning, named
from .broker import Broker
from .client_config import client_config
from .client_log import ClientLog
from .closing import close
from .fatal import ended_by, is_fatal
from .group_offsets import KafkaGroupOffsets
from .pauses import Pauses
from .pending_offsets import PendingOffsets
from .stalls import Stalls
from .topic_ids import Names
from .topics import GONE, Topics

SETTLE = 3.0  # s without partitions, after which a member that has none will get none for now
NOTICE = 0.25  # s; how late it may be noticed that the client has got on without a record

Make = Callable[..., Consumer]


class KafkaLog:
    """A member of a consumer group; see `Log`. ``clock`` counts seconds."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        *,
        servers: str,
        options: Mapping[str, Any],
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        make: Make = Consumer,
    ) -> None:
        self._client_log = ClientLog(logger, servers, is_debugging=bool(options.get("debug")))
        self._config = client_config(group, servers, options)
        self._subscribed = list(topics)
        self._make = make
        self._topics = Topics(servers, options)
        self._names = Names(self._topics, clock)
        self._logger = logger
        self._stalls = Stalls(Broker(self._config, self._topics.config), clock)
        self._assigning = assigning(self._config)
        self._positions: dict[Partition, int] = {}
        self._out_of_range: dict[Partition, int] = {}
        self._lost_some = False
        self._is_idle = False
        self._clock = clock
        self._dealt_at = clock()
        self._is_assigned = False
        self._is_named = False
        self._early: dict[Partition, int] = {}
        self._pauses = Pauses(lambda: self._consumer)
        self._noticed = clock()
        self._consumer = self._joined()
        self._pending = PendingOffsets(lambda: self._consumer, self._positions, clock)
        self.offsets = KafkaGroupOffsets(lambda: self._consumer, self._topics, self._names, self._pending)

    def _joined(self) -> Consumer:
        told = {"error_cb": self._client_log.on_error, "on_commit": self._client_log.on_commit}
        try:
            made = self._make({**self._config, **told}, logger=self._client_log)
        except KafkaException as error:
            raise SettingsError(f"kafka_options (OYEZ_KAFKA_OPTIONS): {error.args[0].str()}") from None
        made.subscribe(
            self._subscribed, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        return made

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._lost_some = False
        self._pending.commit_if_due()
        if self._is_idle:
            self._resume()
        messages = self._fetched(limit, wait)
        self._stalls.polled(len(messages))
        if any(map(Message.error, messages)):
            messages = self._without_errors(messages)
        if messages:
            self._client_log.heard()
        self._leave_outdated()
        if self._lost_some:
            started = {(p.topic, p.number) for p in self._positions}
            messages = [m for m in messages if (m.topic(), m.partition()) in started]
        return cast("Sequence[Record]", messages)

    def gained(self) -> list[Partition]:
        found = [partition for partition in self._names.all() if partition not in self._positions]
        self._is_named = self._is_assigned
        return found

    def start(self, positions: Mapping[Partition, int]) -> None:
        ours = {p: at for p, at in positions.items() if self._names.of(p.topic, p.number) == p}
        if ours:
            self._pending.commit()
            self._assigning.start(self._consumer, self._positions, ours)
        for partition, offset in ours.items():
            self._positions[partition] = offset
            self._out_of_range.pop(partition, None)
            self._early.pop(partition, None)
        self._pauses.end(ours)

    def leave(self, partition: Partition) -> None:
        if partition in self._positions:
            self._pending.commit()
            self._assigning.stop(self._consumer, self._positions, partition)
            self._forget(partition)

    def out_of_range(self) -> dict[Partition, int]:
        return dict(self._out_of_range)

    def partition_count(self, topic: str) -> int | None:
        return self._names.count(topic)

    def positions(self) -> dict[Partition, int]:
        return dict(self._positions)

    def lags(self) -> dict[Partition, int]:
        # A client that is idle fetches nothing, and so hears of no end.
        asked = self._stalls.ends() if self._is_idle else {}
        ends = {p: max(self._end(p), asked.get(p, -1)) for p in self._positions}
        return {p: max(0, ends[p] - position) for p, position in self._positions.items() if ends[p] >= 0}

    def is_settled(self) -> bool:
        # With the cooperative protocol a member that joins others is told first that it has nothing.
        return self._is_named and bool(self._positions or self._clock() - self._dealt_at >= SETTLE)

    def count(self, partition: Partition, position: int) -> int:
        end = self._end(
            partition
        )  # a question waits until the client's fetch has been answered, for half a second
        return max(0, (end if end >= 0 else self.offsets.first_offset(partition, "latest")) - position)

    def _end(self, partition: Partition) -> int:
        """The end as the last fetch has seen it; negative before there was one."""
        return int(self._consumer.get_watermark_offsets(named(partition), cached=True)[1])

    def look_for_stalls(self) -> Sequence[Stalled]:
        if self._is_idle:
            self._stalls.rest(self._positions)
            return []
        found = self._stalls.look(self._positions, self._member_id, self._pauses.held_back)
        remedies = {one.remedy for one in found}
        if "rejoin" in remedies:
            self._rejoin()
        elif "seek" in remedies:
            self.start({one.partition: one.position for one in found})
        return found

    def standing(self) -> Standing:
        last, absent = self._stalls.standings.last(), self._client_log.absent
        return Standing("absent", absent) if absent and last.said == "outside" else last

    def _member_id(self) -> str:
        return str(self._consumer.memberid() or "")

    def _rejoin(self) -> None:
        """Leave the group and join again, with a new client. One that does not even let itself be closed is left to the
        end of this process."""
        self._pending.commit_at_last()
        if not close(self._consumer, self._logger):
            raise LogError("Kafka: the client gives nothing any more, and does not leave its group")
        self._lose(self._names.clear())
        self._is_assigned = self._is_named = False
        self._pauses.forget()
        self._consumer = self._joined()

    def idle(self) -> None:
        self._pending.commit_if_due()
        if not self._is_idle:
            self._pauses.pause(self._positions)
            self._is_idle = True
        message = self._consumer.poll(0)
        if message is None:
            return
        if message.error() is not None:
            self._without_errors([message])
            self._pauses.pause(self._positions)  # whatever was started anew for it
        else:
            partition = self._names.of(str(message.topic()), int(message.partition() or 0))
            if (
                partition in self._positions
            ):  # on its way when the partition was paused, or it was started since
                self._pauses.pause([partition])
                self._early.setdefault(partition, int(message.offset() or 0))

    def _resume(self) -> None:
        """Read on after `idle`: what came meanwhile was dropped, and is read again."""
        self._is_idle = False
        self._pauses.end(self._positions)
        early = {p: offset for p, offset in self._early.items() if p in self._positions}
        self._early.clear()
        self.start(early)

    def hold_back(self, partitions: AbstractSet[Partition]) -> None:
        self._pauses.hold_back(partitions, self._positions, is_idle=self._is_idle)

    def close(self) -> None:
        self._pending.commit_at_last()
        close(self._consumer, self._logger)

    def _fetched(self, limit: int, wait: float) -> list[Message]:
        first = self._consumer.poll(wait)
        if self._client_log.fatal is not None:
            raise ended_by(self._client_log.fatal, self._config)
        if first is None:
            if self._clock() - self._noticed >= NOTICE:
                self._notice_positions()
            return []
        messages = [first, *self._consumer.consume(limit - 1, 0)] if limit > 1 else [first]
        self._notice_positions()
        return messages

    def _notice_positions(self) -> None:
        """Where the client is. It gets on without a message too: past transactions that were aborted, and past the
        markers at the end of each."""
        self._noticed = self._clock()
        for answer in self._consumer.position([named(p) for p in self._positions]):
            partition = self._names.of(answer.topic, answer.partition)
            if answer.offset >= 0 and partition is not None:
                self._positions[partition] = answer.offset

    def _without_errors(self, messages: Sequence[Message]) -> list[Message]:
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if is_fatal(error):
                raise ended_by(error, self._config)
            if error.code() in GONE:
                self._names.doubt()
            if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 # the client's name for it
                self._strand(message)
            else:
                self._client_log.trouble(error)
        return [message for message in messages if message.error() is None]

    def _strand(self, message: Message) -> None:
        """Its position is not in the topic, which may be another one by now."""
        self._names.doubt()
        partition = self._names.of(str(message.topic()), int(message.partition() or 0))
        if partition in self._positions:
            self._out_of_range[partition] = self._positions[partition]
            self.leave(partition)

    def _leave_outdated(self) -> None:
        """What was read of a topic that is not there any more may be another one's: it is not handed out."""
        while self._client_log.topic_ids:
            self._names.compare(*self._client_log.topic_ids.popitem())
        for partition in self._names.outdated():
            self.leave(partition)
            self._out_of_range.pop(partition, None)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._is_assigned = True
        self._dealt_at = self._clock()
        self._assigning.accept(consumer)
        self._names.assign((p.topic, p.partition) for p in partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._pending.commit_at_last()
        gone = self._names.revoke((p.topic, p.partition) for p in partitions)
        self._assigning.give_back(consumer, [p for p in gone if p in self._positions])
        self._lose(gone)

    def _lose(self, gone: Iterable[Partition]) -> None:
        self._dealt_at = self._clock()
        for partition in gone:
            self._forget(partition)
            self._out_of_range.pop(partition, None)

    def _forget(self, partition: Partition) -> None:
        self._lost_some = True
        self._early.pop(partition, None)
        self._positions.pop(partition, None)
