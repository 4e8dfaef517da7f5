"""FastStream on confluent-kafka: one event a call, acknowledged after it."""

from __future__ import annotations

import asyncio

import psycopg
from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from work import INSERT, Event, Order, Timed, rows_of, run


async def _main(order: Order, timed: Timed) -> None:
    broker = KafkaBroker(order.kafka, logger=None)
    app = FastStream(broker, logger=None)
    db = await psycopg.AsyncConnection.connect(order.database, autocommit=True) if order.inserts else None

    @broker.subscriber(
        order.topic,
        group_id=order.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(event: Event) -> None:
        if timed.is_all:
            return
        timed.begin()
        if db is not None:
            await db.execute(INSERT, rows_of([event])[0])
        if timed.handled([event.data.n]):
            app.exit()

    await app.run()


if __name__ == "__main__":
    run(lambda order, timed: asyncio.run(_main(order, timed)))
