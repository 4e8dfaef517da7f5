"""Quix Streams: a dataframe with an update, or with a sink that writes what it has at each checkpoint."""

from __future__ import annotations

import psycopg
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from work import INSERT, Event, Order, Timed, numbers_of, rows_of, run


class Inserting(BatchingSink):
    def __init__(self, database: str, timed: Timed) -> None:
        super().__init__()
        self._db = psycopg.connect(database)
        self._timed = timed

    def write(self, batch: SinkBatch) -> None:
        events = [item.value for item in batch]
        with self._db.transaction(), self._db.cursor() as cursor:
            cursor.executemany(INSERT, rows_of(events))
        self._timed.handled(numbers_of(events))


def _main(order: Order, timed: Timed) -> None:
    app = Application(
        broker_address=order.kafka,
        consumer_group=order.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
    )

    def validate(value: bytes) -> Event:
        timed.begin()
        return Event.model_validate_json(value)

    def note(event: Event) -> None:
        timed.handled([event.data.n])

    frame = app.dataframe(app.topic(order.topic, value_deserializer="bytes")).apply(validate)
    if order.inserts:
        frame.sink(Inserting(order.database, timed))
    else:
        frame.update(note)
    app.run(count=order.count, collect=False)


if __name__ == "__main__":
    run(_main)
