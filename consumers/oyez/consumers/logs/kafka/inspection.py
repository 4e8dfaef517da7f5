"""Kafka, looked at; see `Inspection`. Asked by an administrative client in this process, which is not forked then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition, libversion
from confluent_kafka.admin import (  # type: ignore[attr-defined] # missing from __all__
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from oyez.producers import SettingsError

from ...database.engine import Database
from ..backend import LogUnreachable
from ..inspection import TopicFacts
from .coordinator import LONGEST, RenewedClient
from .probe import HINT, admin
from .topics import GONE

ANSWER = 5.0  # s
COORDINATOR = 15.0  # s; a broker that has never had a group makes the topic for their commits first
COMMITS = "__consumer_offsets"
"""The topic in which brokers note what groups commit, each note with the broker's own time."""
VERSION = "inter.broker.protocol.version"
"""A setting of brokers before Kafka 4."""
KNOWN = "offsets.retention.minutes"
"""A setting of all of them: whoever may not read the settings does not see it."""
Spec: Any = OffsetSpec  # its methods have no annotations


class KafkaInspection:
    """Asks the brokers."""

    def __init__(self, servers: str, options: Mapping[str, object]) -> None:
        self._servers = servers
        self._options = options
        self._said: list[str] = []
        self._admin = RenewedClient(self._make)

    def _make(self) -> AdminClient:
        try:
            return admin(self._servers, self._options, error_cb=lambda error: self._said.append(error.str()))
        except KafkaException as error:
            raise SettingsError(f"kafka_options (OYEZ_KAFKA_OPTIONS): {error.args[0].str()}") from None

    def about(self) -> str:
        client = self._admin.client
        try:
            brokers = sorted(client.list_topics(timeout=ANSWER).brokers)
        except KafkaException as error:
            client.poll(0)
            why = self._said[0] if self._said else error.args[0].str()
            raise LogUnreachable(f"Kafka at {self._servers} cannot be reached: {why}; {HINT}") from None
        many = f"{len(brokers)} broker{'' if len(brokers) == 1 else 's'}"
        return f"{self._version(brokers[0])} with {many}, asked by librdkafka {libversion()[0]}"

    def topics(self, names: Collection[str]) -> list[TopicFacts]:
        described = self._described(names)
        kept = self._settings(ResourceType.TOPIC, described)
        newest = self._newest(
            {topic: [one.id for one in facts.partitions] for topic, facts in described.items()}
        )
        return [
            TopicFacts(
                topic,
                len(facts.partitions),
                min((len(partition.replicas) for partition in facts.partitions), default=None),
                _retention(kept[topic]),
                newest.get(topic),
            )
            for topic, facts in described.items()
        ]

    def workers(self, groups: Collection[str], database: Database) -> Mapping[str, int]:
        if not groups:
            return {}
        asked = self._admin.client.describe_consumer_groups(sorted(groups), request_timeout=LONGEST)
        return {group: len(self._admin.answer(asked[group], COORDINATOR).members) for group in groups}

    def clock_ahead(self, now: float) -> float | None:
        """By the last commit of any group. That a broker is behind cannot be told: the commit may have been then."""
        try:
            described = self._described([COMMITS])
            numbers = {topic: [one.id for one in facts.partitions] for topic, facts in described.items()}
            last = self._newest(numbers).get(COMMITS)
        except KafkaException:  # not everybody may ask
            return None
        return None if last is None or last <= now else last - now

    def _version(self, broker: int) -> str:
        name = str(broker)
        settings = self._settings(ResourceType.BROKER, [name])[name]
        if KNOWN not in settings:
            return "Kafka"
        return f"Kafka {settings[VERSION]}" if VERSION in settings else "Kafka 4 or later"

    def _settings(self, kind: Any, names: Iterable[str]) -> Mapping[str, Mapping[str, str | None]]:
        """What is set of each of these topics, or of a broker; nothing where that may not be asked."""
        asked = {name: ConfigResource(kind, name) for name in names}
        if not asked:
            return {}
        answers = self._admin.client.describe_configs([*asked.values()], request_timeout=ANSWER)
        return {name: _values(answers[one]) for name, one in asked.items()}

    def _described(self, names: Collection[str]) -> dict[str, Any]:
        if not names:
            return {}
        asked = self._admin.client.describe_topics(TopicCollection(sorted(names)), request_timeout=ANSWER)
        found = {}
        for topic, answer in asked.items():
            try:
                found[topic] = answer.result()
            except KafkaException as error:
                if error.args[0].code() not in (*GONE, KafkaError.TOPIC_AUTHORIZATION_FAILED):
                    raise
        return found

    def _newest(self, numbers: Mapping[str, Iterable[int]]) -> dict[str, float]:
        """When the newest record of each topic is from; those without any are left out."""
        asked = {
            TopicPartition(topic, n): Spec.max_timestamp() for topic, ones in numbers.items() for n in ones
        }
        if not asked:
            return {}
        newest: dict[str, float] = {}
        for one, answer in self._admin.client.list_offsets(asked, request_timeout=ANSWER).items():
            at = int(answer.result().timestamp)
            if at >= 0:
                newest[one.topic] = max(newest.get(one.topic, 0.0), at / 1000)
        return newest


def _values(answer: Any) -> Mapping[str, str | None]:
    try:
        return {name: one.value for name, one in answer.result(ANSWER).items()}
    except KafkaException:
        return {}


def _retention(settings: Mapping[str, str | None]) -> float | None:
    """What is compacted is kept for ever, as far as anybody knows who asks for a time."""
    said = settings.get("retention.ms")
    is_deleted = "delete" in (settings.get("cleanup.policy") or "")
    return int(said) / 1000 if said is not None and int(said) >= 0 and is_deleted else None
