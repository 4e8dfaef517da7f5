"""aiokafka by hand: batches, and the offsets committed after each."""

from __future__ import annotations

import asyncio

import psycopg
from aiokafka import AIOKafkaConsumer
from work import BATCH, INSERT, Event, Order, Timed, numbers_of, rows_of, run

WAIT = 1_000  # ms


async def _main(order: Order, timed: Timed) -> None:
    db = await psycopg.AsyncConnection.connect(order.database) if order.inserts else None
    consumer = AIOKafkaConsumer(
        order.topic,
        bootstrap_servers=order.kafka,
        group_id=order.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        while not timed.is_all:
            found = await consumer.getmany(timeout_ms=WAIT, max_records=BATCH)
            records = [record for some in found.values() for record in some]
            if not records:
                continue
            timed.begin()
            events = [Event.model_validate_json(record.value) for record in records]
            if db is not None:
                async with db.transaction(), db.cursor() as cursor:
                    await cursor.executemany(INSERT, rows_of(events))
            await consumer.commit()
            timed.handled(numbers_of(events))
    finally:
        await consumer.stop()


if __name__ == "__main__":
    run(lambda order, timed: asyncio.run(_main(order, timed)))
