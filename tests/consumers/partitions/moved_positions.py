"""Pipelines of three partitions, whose positions are moved and whose topics are made again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from consumers.pipeline import TOPIC, Pipeline, Placed
from oyez.consumers.database import Database
from oyez.consumers.database.positions import Held, Partition
from oyez.consumers.database.rewinding import rewind
from oyez.consumers.database.tables import position
from oyez.producers.partitioning import partition_of

GROUP = "shop.placed"
PARTITIONS = 3
KEYS = {partition_of(f"k{n}".encode(), PARTITIONS): f"k{n}" for n in range(50)}
"""A key of each partition."""


def place(pipeline: Pipeline, number: int, *numbers: int) -> None:
    """Announce events in one partition, and run."""
    pipeline.handle(*(Placed(k=KEYS[number], n=n) for n in numbers))


def rows(pipeline: Pipeline) -> dict[int, Any]:
    """The rows of the topic as it is now, by partition."""
    with pipeline.engine.connect() as db:
        ours = position.c.topic_id == pipeline.broker.topic_id(TOPIC)
        found = db.execute(select(position).where(ours).order_by(position.c.partition))
        return {row.partition: row for row in found}


def alter(pipeline: Pipeline, number: int, **values: Any) -> None:
    with pipeline.engine.begin() as db:
        db.execute(update(position).where(position.c.partition == number).values(**values))


def back(pipeline: Pipeline, to: int, *numbers: int, is_again: bool = False) -> dict[Partition, Held]:
    """Rewind some partitions, or all."""
    topic_id = pipeline.broker.topic_id(TOPIC)
    wanted = {Partition(TOPIC, topic_id, n): to for n in numbers or range(PARTITIONS)}
    return Database(pipeline.engine).repeat(
        lambda db: rewind(db, GROUP, wanted, pipeline.clock(), is_again=is_again)
    )


def later(pipeline: Pipeline) -> None:
    """After the worker has looked at its rows."""
    pipeline.later(5.1)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "is not read any more" in record.getMessage()]


def strand(pipeline: Pipeline, number: int) -> None:
    alter(pipeline, number, position=1_000)
    later(pipeline)
