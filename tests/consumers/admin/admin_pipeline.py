"""A pipeline with operations: what operators would do, in this process, at the pipeline's time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Table

from consumers.pipeline import Pipeline
from oyez.consumers import ListenSettings
from oyez.consumers.admin import (
    Decode,
    Discard,
    Force,
    Operation,
    Overtaken,
    Pacing,
    Release,
    Retry,
    Steps,
    Tally,
    overtaken,
)
from oyez.consumers.core.backoff import RetryPolicy
from oyez.consumers.database import Database
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.tables import dead, parked
from oyez.consumers.execution.execution import Execution
from oyez.consumers.execution.reader import Reader
from support.tables import table_named


class Failing:
    """What handlers raise, by handler and number; nothing by default."""

    def __init__(self) -> None:
        self._errors: dict[tuple[str, int], BaseException] = {}

    def tell(self, handler: str, *numbers: int, error: BaseException | None = None) -> None:
        """This handler fails for these numbers from now on."""
        self._errors |= {(handler, n): error or ValueError("as told") for n in numbers}

    def repair(self) -> None:
        """Nothing fails any more."""
        self._errors.clear()

    def __call__(self, handler: str, n: int) -> None:
        if (error := self._errors.get((handler, n))) is not None:
            raise error


class Operator:
    """A pipeline, and what operators do to it."""

    def __init__(self, pipeline: Pipeline, size: int = 500) -> None:
        self.pipeline = pipeline
        self.size = size
        self.app = pipeline.application.name

    def retry(self, on_step: Callable[[int], None] = lambda _count: None, **asked: Any) -> Tally:
        return self._pull(Retry(self.pipeline.application, self.pipeline.clock), asked, on_step)

    def decode(self, **asked: Any) -> Tally:
        return self._pull(Decode(self.pipeline.application, self.pipeline.clock), {**asked, "handler": ""})

    def release(self, **asked: Any) -> Tally:
        return self._pull(Release(self.pipeline.application, self.pipeline.clock), asked)

    def discard(self, table: Table, **asked: Any) -> Tally:
        return self._pull(Discard(self.pipeline.application, table, self.pipeline.clock), asked)

    def force(self, **asked: Any) -> Tally:
        total, wanted = Tally(), Filter(app=self.app, **asked)
        ids = Steps(Database(self.pipeline.engine)).choose(parked, wanted)
        for group in self.pipeline.application.groups.values():
            database = Database(self.pipeline.engine)
            clock = self.pipeline.clock
            execution = Execution(
                group, database, settings=ListenSettings(), policy=RetryPolicy(), clock=clock, timer=clock
            )
            total.add(Force(execution, Reader(group)).apply(ids, wanted))
        return total

    def overtaken(self, **asked: Any) -> Overtaken:
        with self.pipeline.engine.connect() as db:
            return overtaken(db, Filter(app=self.app, **asked))

    def parked(self) -> list[tuple[str, int, str]]:
        """Handler, number and state of each parked delivery, in the order in which they will be handled."""
        found = self.pipeline.rows("parked", "rank", "id", "handler", "value", "due_at", "wait_signal")
        return [
            (handler, number_of(value), "due" if due is not None else "waiting" if waits else "behind")
            for _, _, handler, value, due, waits in sorted(found, key=lambda row: row[:2])
        ]

    def dead(self) -> list[tuple[str, int]]:
        """Handler and number of each dead delivery, in the order in which they died."""
        return [
            (handler, number_of(value)) for handler, value in self.pipeline.rows("dead", "handler", "value")
        ]

    def met(self) -> list[tuple[str, str]]:
        found = self.pipeline.rows("prerequisite", "signal", "subject", "met_at")
        return [(signal, subject) for signal, subject, met_at in found if met_at is not None]

    def event(self, handler: str, n: int, table: str = "parked") -> str:
        """The id of an event of which a delivery is kept."""
        found = self.pipeline.rows(table, "handler", "value", "event_id")
        return next(event for one, value, event in found if (one, number_of(value)) == (handler, n))

    def row(self, name: str) -> dict[str, Any]:
        """The only row of a table."""
        (row,) = self.pipeline.rows(name)
        return dict(zip(table_named(name).c.keys(), row, strict=True))

    def _pull(
        self,
        operation: Operation,
        asked: dict[str, Any],
        on_step: Callable[[int], None] = lambda _count: None,
    ) -> Tally:
        steps = Steps(Database(self.pipeline.engine), Pacing(self.size), timeout=0.0)
        wanted = Filter(app=self.app, **asked)
        return steps.apply(operation, steps.choose(operation.table, wanted), wanted, on_step)


def number_of(value: bytes) -> int:
    """The number in an event."""
    return int(json.loads(value)["data"]["n"])


DEAD, PARKED = dead, parked
