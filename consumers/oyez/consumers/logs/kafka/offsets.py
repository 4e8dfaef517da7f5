"""What Kafka knows: where its partitions begin and end, and what groups have committed; see `Offsets`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined] # missing from __all__
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from ...core.counted import Unit
from ..offsets import AT_LEAST_ONCE, Ends, GroupActive, PartitionEnds
from .closing import close
from .coordinator import LONGEST, RenewedClient
from .probe import admin, outsider, silent

ANSWER = 5.0  # s
KEPT = "offsets.retention.minutes"
ACTIVE = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.REBALANCE_IN_PROGRESS)
Spec: Any = OffsetSpec  # its methods have no annotations


class KafkaOffsets:
    """Asks a broker, and sets what groups have committed. Raises KafkaException when it does not answer."""

    unit: Unit = "records"

    def __init__(self, servers: str, options: Mapping[str, object]) -> None:
        self._servers = servers
        self._options = options
        self._admin = RenewedClient(lambda: admin(servers, options))

    def ends(self, topics: Iterable[str]) -> list[Ends]:
        """See `Offsets`, here and below."""
        described = self._described(set(topics))
        places = [(topic, number) for topic, (_, numbers) in described.items() for number in numbers]
        low, high = self._listed(places, Spec.earliest()), self._listed(places, Spec.latest())
        return [
            Ends(topic, topic_id, {n: PartitionEnds(low[topic, n], high[topic, n]) for n in numbers})
            for topic, (topic_id, numbers) in described.items()
        ]

    def committed(self, group: str, logs: Iterable[Ends]) -> dict[tuple[str, int], int]:
        asked = [TopicPartition(log.topic, number) for log in logs for number in log.partitions]
        return {(one.topic, one.partition): one.offset for one in self._committed(group, asked)}

    def copy_committed(self, old: str, new: str) -> int:
        topics = self._admin.client.list_topics(timeout=ANSWER).topics.values()
        committed = self._committed(
            old, [TopicPartition(str(one.topic), n) for one in topics for n in one.partitions]
        )
        self._alter(new, committed)
        return len(committed)

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int], promise: str) -> None:
        self._alter(
            group, [TopicPartition(topic, n, at, promise) for (topic, n), at in sorted(offsets.items())]
        )

    def at(self, log: Ends, time: float) -> dict[int, int | None]:
        places = [(log.topic, number) for number in log.partitions]
        found = self._listed(places, Spec.for_timestamp(int(time * 1000)))
        return {number: offset if offset >= 0 else None for (_, number), offset in found.items()}

    def is_begin(self, log: Ends, number: int, offset: int) -> bool:
        return True

    def kept_for(self) -> float | None:
        """As one of the brokers is set. Not everybody may ask."""
        brokers = sorted(self._admin.client.list_topics(timeout=ANSWER).brokers)
        asked = ConfigResource(ResourceType.BROKER, str(brokers[0]))
        answer = self._admin.client.describe_configs([asked], request_timeout=ANSWER)[asked]
        try:
            return 60.0 * int(answer.result()[KEPT].value)
        except (KafkaException, KeyError):
            return None

    def _alter(self, group: str, offsets: list[TopicPartition]) -> None:
        if not offsets:
            return
        request = [ConsumerGroupTopicPartitions(group, offsets)]
        asked = self._admin.client.alter_consumer_group_offsets(request, request_timeout=LONGEST)[group]
        answer = self._admin.answer(asked, ANSWER)
        for one in answer.topic_partitions or ():
            if one.error is None:
                continue
            if one.error.code() in ACTIVE:
                raise GroupActive(
                    f"Kafka does not let the offsets of {group} be set while it has members; "
                    f"stop the group's workers first"
                )
            raise KafkaException(one.error)

    def _committed(self, group: str, asked: list[TopicPartition]) -> list[TopicPartition]:
        """What at-least-once groups have committed of these. Not asked by the administrative client, which may crash
        over it while the broker starts (librdkafka 2.16.0)."""
        if not asked:
            return []
        client = outsider(group, self._servers, self._options)
        try:
            answers = client.committed(asked, timeout=ANSWER)
        finally:
            close(client, silent)
        return [one for one in answers if one.offset >= 0 and one.metadata == AT_LEAST_ONCE]

    def _described(self, topics: Collection[str]) -> dict[str, tuple[str, list[int]]]:
        """The id and the partitions of each topic that is there: one question, however many there are."""
        if not topics:
            return {}
        asked = self._admin.client.describe_topics(TopicCollection(sorted(topics)), request_timeout=ANSWER)
        found = {}
        for topic in sorted(topics):
            try:
                one = asked[topic].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
            else:
                found[topic] = str(one.topic_id), [partition.id for partition in one.partitions]
        return found

    def _listed(self, places: Iterable[tuple[str, int]], which: Any) -> dict[tuple[str, int], int]:
        """An offset of each of these partitions, by topic and number: one question too."""
        asked = {TopicPartition(topic, number): which for topic, number in places}
        if not asked:
            return {}
        answers = self._admin.client.list_offsets(asked, request_timeout=ANSWER)
        return {(one.topic, one.partition): int(answer.result().offset) for one, answer in answers.items()}
