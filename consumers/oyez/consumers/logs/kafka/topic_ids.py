"""Which partitions a member was assigned, and of which topic: the one that has this name now, told by its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from confluent_kafka import KafkaException

from ...database.positions import Partition
from ..log import LogAway
from .topics import Topics

CHECK_EVERY = 60.0  # s
PAUSE = 1.0  # s; before a question that had no answer is asked again

Name = tuple[str, int]
"""A topic's name and a partition's number: how the client knows partitions."""


class Names:
    """The partitions assigned. Whether their topics are still the same is asked when in doubt, and once a minute."""

    def __init__(self, topics: Topics, clock: Callable[[], float]) -> None:
        self._topics = topics
        self._clock = clock
        self._assigned: dict[Name, Partition | None] = {}
        self._counts: dict[str, int] = {}
        self._is_in_doubt = False
        self._check_at = clock() + CHECK_EVERY
        self._ask_at = float("-inf")
        self._why = ""

    def assign(self, names: Iterable[Name]) -> None:
        """The member has more partitions."""
        names = list(names)
        read = {topic for topic, _ in self._assigned}
        self._is_in_doubt |= any(topic in read for topic, _ in names)
        self._assigned.update(dict.fromkeys(names))

    def revoke(self, names: Iterable[Name]) -> list[Partition]:
        """The member has lost these; returns those that had been named."""
        gone = [self._assigned.pop(name, None) for name in names]
        return [partition for partition in gone if partition is not None]

    def clear(self) -> list[Partition]:
        """The member has lost them all; the same."""
        return self.revoke(list(self._assigned))

    def of(self, topic: str, number: int) -> Partition | None:
        """A partition that is assigned, and was named."""
        return self._assigned.get((topic, number))

    def count(self, topic: str) -> int | None:
        """How many partitions a topic had when it was last asked about."""
        return self._counts.get(topic)

    def all(self) -> list[Partition]:
        """The partitions assigned, by name; asks about those that are new. Raises `LogAway`. What is not there
        yet, or any more, is left out."""
        new = [name for name, partition in self._assigned.items() if partition is None]
        if new:
            self._name(new)
        return sorted(partition for partition in self._assigned.values() if partition is not None)

    def doubt(self) -> None:
        """Something looks as if a topic had been deleted, or deleted and made again."""
        self._is_in_doubt = True

    def compare(self, topic: str, topic_id: str) -> None:
        """What somebody says is the topic's id: a reason to ask if it was named otherwise."""
        named = [one for one in self._assigned.values() if one is not None and one.topic == topic]
        self._is_in_doubt |= any(partition.topic_id != topic_id for partition in named)

    def outdated(self) -> list[Partition]:
        """Partitions of topics that are not there any more: they are to be named anew. Mostly without asking."""
        if not self._is_in_doubt and self._clock() < self._check_at:
            return []
        named = [partition for partition in self._assigned.values() if partition is not None]
        ids = self._ids({partition.topic for partition in named}) if named else {}
        self._is_in_doubt = False
        self._check_at = self._clock() + CHECK_EVERY
        if ids is None:
            return []
        gone = [partition for partition in named if ids.get(partition.topic) != partition.topic_id]
        self._assigned.update({(partition.topic, partition.number): None for partition in gone})
        return gone

    def _ids(self, topics: Iterable[str]) -> dict[str, str] | None:
        """None if there was no answer to a question that can wait. One that cannot: nothing may be read on that may be
        another topic's."""
        try:
            found = self._topics.partitions(topics)
        except KafkaException:
            return {} if self._is_in_doubt else None
        self._counts.update({topic: len(partitions) for topic, partitions in found.items()})
        return {topic: partitions[0].topic_id for topic, partitions in found.items()}

    def _name(self, new: list[Name]) -> None:
        if self._clock() < self._ask_at:
            if self._why:
                raise LogAway(self._why)
            return
        self._ask_at, self._why = self._clock() + PAUSE, ""
        try:
            found = self._topics.partitions({topic for topic, _ in new})
        except KafkaException as error:
            self._why = f"Kafka gave no answer about its topics: {error.args[0].str()}"
            raise LogAway(self._why) from error
        self._counts.update({topic: len(partitions) for topic, partitions in found.items()})
        ids = {topic: partitions[0].topic_id for topic, partitions in found.items()}
        if new_ones := {(topic, number) for topic, number in new if topic in ids}:
            self._ask_at = float("-inf")
        for topic, number in new_ones:
            self._assigned[topic, number] = Partition(topic, ids[topic], number)
