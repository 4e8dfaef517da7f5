"""What becomes of segments that were read."""

from __future__ import annotations

import gzip

import pytest
from sqlalchemy.orm import Session

from consumers.logs.test_reading_spool import Make, log_of, make, shop
from consumers.pipeline import TOPIC, Opened, note, placed

__all__ = ["make"]


@pytest.mark.parametrize("retention", ["keep", "archive", "delete"])
def test_segments_that_every_group_has_read(make: Make, retention: str) -> None:
    pipeline = make(spool_retention=retention, segment_bytes=300)
    pipeline.announce(*placed(range(10)))
    written = {file.name: file.read_bytes() for file in pipeline.segments()}
    assert len(written) > 3
    pipeline.run()
    for _ in written if retention == "archive" else [1]:
        pipeline.later(200.0)
    left = [file.name for file in pipeline.segments()]
    archive = pipeline.root / "web" / TOPIC / "archive"
    archived = {
        file.name.removesuffix(".gz"): gzip.decompress(file.read_bytes()) for file in archive.glob("*")
    }
    assert left == (sorted(written) if retention == "keep" else [max(written)])
    assert archived == (
        {name: written[name] for name in written if name not in left} if retention == "archive" else {}
    )
    pipeline.handle(*placed([10]))
    assert sorted(pipeline.effects()) == list(range(11))


def test_one_segment_is_archived_in_a_sweep(make: Make) -> None:
    """That takes its time, in which the worker reads nothing and hears no signal. The next sweep goes on with it."""
    pipeline = make(spool_retention="archive", segment_bytes=300)
    pipeline.announce(*placed(range(10)))
    written = len(pipeline.segments())
    pipeline.run()
    (worker,) = pipeline.workers.values()
    pipeline.clock.now += 100.0
    left = []
    for _ in range(written):
        pipeline.clock.now += 10.0
        worker.step()
        left.append(len(pipeline.segments()))
    assert left == [*range(written - 1, 0, -1), 1]


def test_what_one_group_has_not_read_stays(make: Make) -> None:
    on = shop()

    @on(Opened)
    def opening(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    pipeline = make(on, spool_retention="delete", segment_bytes=300)
    idle = pipeline.workers.pop("shop.opened")
    pipeline.announce(*placed(range(10)))
    before = len(pipeline.segments())
    pipeline.run()
    pipeline.later(200.0)
    assert len(pipeline.segments()) == before
    pipeline.workers["shop.opened"] = idle
    pipeline.run()
    pipeline.later(200.0)
    pipeline.later(200.0)
    assert len(pipeline.segments()) == 1


def test_a_group_that_was_at_least_once_holds_nothing_back(make: Make) -> None:
    """Where it is now is where its positions are; what it committed before is done with."""
    before = make(shop(placed="at-least-once"), spool_retention="delete", segment_bytes=300)
    before.handle(*placed(range(3)))
    assert before.rows("committed", "group_name") == ["shop.placed"]
    for worker in before.workers.values():
        log_of(worker).close()
    pipeline = make(spool_retention="delete", segment_bytes=300)
    pipeline.clock.now = before.clock.now
    pipeline.handle(*placed(range(3, 13)))
    pipeline.later(200.0)
    assert pipeline.effects() == list(range(13))
    assert pipeline.rows("committed", "group_name") == []
    assert len(pipeline.segments()) == 1
