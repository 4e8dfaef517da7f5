"""A group of the spool changes its promise: what it committed as an at-least-once one counts once, and no more."""

from __future__ import annotations

import pytest

from consumers.logs.spool_pipeline import SpoolPipeline
from consumers.logs.test_reading_spool import GROUP, Make, log_of, make, shop
from consumers.pipeline import placed
from oyez.consumers.database import Database, committed_offsets
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.rewinding import rewind
from oyez.consumers.logs.spool.group_offsets import SpoolGroupOffsets

__all__ = ["make"]


def follow(make: Make, before: SpoolPipeline, **promises: str) -> SpoolPipeline:
    """The group's next deploy."""
    for worker in before.workers.values():
        log_of(worker).close()
    after = make(shop(**promises))
    after.clock.now = before.clock.now
    return after


def test_back_and_forth(make: Make) -> None:
    """It goes on where it was each time."""
    pipeline = make(shop(placed="at-least-once"))
    pipeline.handle(*placed(range(3)))
    for n, promises in ((3, {}), (6, {"placed": "at-least-once"}), (9, {})):
        pipeline = follow(make, pipeline, **promises)
        pipeline.handle(*placed(range(n, n + 3)))
        assert pipeline.effects() == list(range(n + 3))


def test_a_rewind_as_it_turns_exactly_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator rewinds it between what its first worker asks and what that worker writes."""
    pipeline = make(shop(placed="at-least-once"))
    pipeline.handle(*placed(range(3)))
    after = follow(make, pipeline)
    asked = SpoolGroupOffsets.committed
    (place,) = after.rows("position", "topic", "topic_id", "partition")

    def then_rewound(self: SpoolGroupOffsets, partitions: list[Partition]) -> dict[Partition, int]:
        found = asked(self, partitions)
        to = {Partition(*place): 0}
        operator = Database(after.engine)
        operator.repeat(lambda db: committed_offsets.write(db, GROUP, to))
        operator.repeat(lambda db: rewind(db, GROUP, to, after.clock.now, is_again=True))
        monkeypatch.setattr(SpoolGroupOffsets, "committed", asked)
        return found

    monkeypatch.setattr(SpoolGroupOffsets, "committed", then_rewound)
    after.run()
    assert after.effects() == [0, 1, 2, 0, 1, 2]
