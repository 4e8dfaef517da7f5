"""FastStream on confluent-kafka: batches, acknowledged after each."""

from __future__ import annotations

import asyncio

import psycopg
from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from work import BATCH, INSERT, Event, Order, Timed, numbers_of, rows_of, run


async def _main(order: Order, timed: Timed) -> None:
    broker = KafkaBroker(order.kafka, logger=None)
    app = FastStream(broker, logger=None)
    db = await psycopg.AsyncConnection.connect(order.database) if order.inserts else None

    @broker.subscriber(
        order.topic,
        group_id=order.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        batch=True,
        max_records=BATCH,
    )
    async def handle(events: list[Event]) -> None:
        timed.begin()
        if db is not None:
            async with db.transaction(), db.cursor() as cursor:
                await cursor.executemany(INSERT, rows_of(events))
        if timed.handled(numbers_of(events)):
            app.exit()

    await app.run()


if __name__ == "__main__":
    run(lambda order, timed: asyncio.run(_main(order, timed)))
