"""The topic of an import, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from visits.errors import UNREACHABLE, VisitsError

PATIENCE = 5.0  # seconds for one probe


class Topic:
    """A topic of one broker, as an administrator sees it."""

    def __init__(
        self, bootstrap: str, name: str, options: Mapping[str, str | int | float | bool] | None = None
    ) -> None:
        self.bootstrap = bootstrap
        self.name = name
        # Silent: when the broker is away, one line of ours says so.
        quiet: dict[str, str | int | float | bool] = {"log_level": 0, "bootstrap.servers": bootstrap}
        self._admin = AdminClient({**quiet, **(options or {})})

    def create(self, partitions: int) -> None:
        """Make sure that it exists; VisitsError if the broker does not answer."""
        try:
            known = self._admin.list_topics(timeout=PATIENCE).topics
            if self.name not in known:
                self._admin.create_topics([NewTopic(self.name, partitions, 1)])[self.name].result(PATIENCE)
        except KafkaException as error:
            reason = error.args[0].str()
            raise VisitsError(
                f"no Kafka answers at {self.bootstrap} ({reason}): "
                "start one with `oyez dev`, or name one with --kafka HOST:PORT",
                UNREACHABLE,
            ) from None

    @cached_property
    def partitions(self) -> list[int]:
        """The numbers of its partitions, once it was created."""
        return sorted(self._admin.list_topics(self.name, timeout=PATIENCE).topics[self.name].partitions)

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self.name, number): latest for number in self.partitions}
        answers = self._admin.list_offsets(asked)
        return {partition.partition: answer.result(PATIENCE).offset for partition, answer in answers.items()}
