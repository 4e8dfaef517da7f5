"""What becomes of segments that were read."""

from __future__ import annotations

import gzip

import pytest
from sqlalchemy.orm import Session

from consumers.stage import TOPIC, Opened, note, placed
from consumers.test_spool import Make, make, shop

__all__ = ["make"]


@pytest.mark.parametrize("retention", ["keep", "archive", "delete"])
def test_segments_that_every_group_has_read(make: Make, retention: str) -> None:
    stage = make(spool_retention=retention, segment_bytes=300)
    stage.announce(*placed(range(10)))
    written = {file.name: file.read_bytes() for file in stage.segments()}
    assert len(written) > 3
    stage.run()
    stage.later(200.0)
    left = [file.name for file in stage.segments()]
    archive = stage.root / "web" / TOPIC / "archive"
    archived = {
        file.name.removesuffix(".gz"): gzip.decompress(file.read_bytes()) for file in archive.glob("*")
    }
    assert left == (sorted(written) if retention == "keep" else [max(written)])
    assert archived == (
        {name: written[name] for name in written if name not in left} if retention == "archive" else {}
    )
    stage.handle(*placed([10]))
    assert sorted(stage.effects()) == list(range(11))


def test_what_one_group_has_not_read_stays(make: Make) -> None:
    on = shop()

    @on(Opened)
    def opening(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    stage = make(on, spool_retention="delete", segment_bytes=300)
    idle = stage.workers.pop("shop.opened")
    stage.announce(*placed(range(10)))
    before = len(stage.segments())
    stage.run()
    stage.later(200.0)
    assert len(stage.segments()) == before
    stage.workers["shop.opened"] = idle
    stage.run()
    stage.later(200.0)
    stage.later(200.0)
    assert len(stage.segments()) == 1
