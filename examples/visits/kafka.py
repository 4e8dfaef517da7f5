"""The topic of an import, and where it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from functools import cached_property

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]
from sqlalchemy import Connection, func, select

from visits.errors import UNREACHABLE, VisitsError
from visits.oyez_tables import position

TIMEOUT = 5.0  # seconds for one probe


class Topic:
    """A topic of one broker, as an administrator sees it."""

    def __init__(
        self,
        bootstrap: str,
        name: str,
        options: Mapping[str, str | int | float | bool] | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bootstrap = bootstrap
        self.name = name
        self._timer = timer
        # Silent: when the broker is away, one line of ours says so.
        quiet: dict[str, str | int | float | bool] = {"log_level": 0, "bootstrap.servers": bootstrap}
        self._admin = AdminClient({**quiet, **(options or {})})

    def create(self, partitions: int) -> None:
        """Make sure that it exists; VisitsError if the broker does not answer."""
        try:
            known = self._admin.list_topics(timeout=TIMEOUT).topics
            if self.name not in known:
                self._admin.create_topics([NewTopic(self.name, partitions, 1)])[self.name].result(TIMEOUT)
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
        return sorted(self._admin.list_topics(self.name, timeout=TIMEOUT).topics[self.name].partitions)

    def has_workers(self, db: Connection, groups: Collection[str]) -> bool:
        """Whether every group has a worker on every partition."""
        mine = position.c.topic == self.name, position.c.group_name.in_(groups)
        taken = db.execute(select(func.count()).select_from(position).where(*mine)).scalar_one()
        return bool(taken == len(groups) * len(self.partitions))

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition.

        A broker that has been away for a moment refuses what is asked with the epoch of before, until its answer about
        the topic was read again.
        """
        until = self._timer() + TIMEOUT
        while True:
            try:
                return self._ends()
            except KafkaException:
                if self._timer() > until:
                    raise
            self._admin.list_topics(self.name, timeout=TIMEOUT)

    def _ends(self) -> dict[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self.name, number): latest for number in self.partitions}
        answers = self._admin.list_offsets(asked)
        return {partition.partition: answer.result(TIMEOUT).offset for partition, answer in answers.items()}
