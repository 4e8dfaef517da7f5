"""Arroyo (sentry-arroyo): a task for each event, or batches that are written, and offsets once a second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from arroyo import Topic
from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.commit import ONCE_PER_SECOND
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    BatchStep,
    CommitOffsets,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    RunTask,
)
from arroyo.types import Commit, Message, Partition
from work import BATCH, INSERT, Event, Order, Timed, numbers_of, rows_of, run

WAIT = 1.0  # s for a batch to become full


class Steps(ProcessingStrategyFactory[KafkaPayload]):
    def __init__(self, order: Order, timed: Timed) -> None:
        self._order = order
        self._timed = timed
        self._left = order.count
        self._db = psycopg.connect(order.database) if order.inserts else None
        self.processor: StreamProcessor[KafkaPayload]

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        last: Any = CommitOffsets(commit)
        if self._order.inserts:
            last = BatchStep(BATCH, WAIT, RunTask(self._write, last))
        return RunTask(self._validate, last)

    def _validate(self, message: Message[KafkaPayload]) -> Event:
        self._timed.begin()
        event = Event.model_validate_json(message.payload.value)
        if not self._order.inserts:
            self._timed.handled([event.data.n])
        self._left -= 1
        if self._left == 0:
            self.processor.signal_shutdown()  # the steps finish what they have
        return event

    def _write(self, message: Message[Any]) -> None:
        assert self._db is not None
        events = [one.payload for one in message.payload]
        with self._db.transaction(), self._db.cursor() as cursor:
            cursor.executemany(INSERT, rows_of(events))
        self._timed.handled(numbers_of(events))


def _main(order: Order, timed: Timed) -> None:
    consumer = KafkaConsumer(
        build_kafka_consumer_configuration(
            {}, bootstrap_servers=[order.kafka], auto_offset_reset="earliest", group_id=order.group
        )
    )
    steps = Steps(order, timed)
    steps.processor = StreamProcessor(consumer, Topic(order.topic), steps, ONCE_PER_SECOND)
    steps.processor.run()


if __name__ == "__main__":
    run(_main)
