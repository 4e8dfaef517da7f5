"""What a writer takes back, since its disk is full or broken, was not handled by anybody."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import Connection

from consumers.logs.spool_pipeline import SpoolPipeline
from consumers.pipeline import TOPIC, Placed, known, note, placed
from oyez.consumers import Handlers
from oyez.producers import Announcer, NotAnnounced
from oyez.producers.spool import SpoolTransport, Writer


def shop() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def take(event: Placed, db: Connection) -> None:
        note(db, "take", event.n)

    return on


def test_a_worker_reads_while_a_record_cannot_be_forced_to_disk(
    pipeline_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = SpoolPipeline(pipeline_database, shop(), tmp_path)
    transport = SpoolTransport(tmp_path / "careful", lambda path, topic: Writer(path, topic, fsync="always"))
    announcer = Announcer(transport, source="careful", topic=TOPIC, catalogue=known)
    announcer.announce(Placed(n=1))
    pipeline.run()
    (worker,) = pipeline.workers.values()

    def fail(_file: int) -> None:
        monkeypatch.undo()
        assert worker.step() == 0
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotAnnounced, match="broken"):
        announcer.announce(Placed(n=2))
    announcer.announce(Placed(n=3))
    pipeline.announce(*placed([4]))
    pipeline.run()
    assert sorted(pipeline.effects()) == [1, 3, 4]
    assert pipeline.is_clean()
    announcer.close()
    pipeline.close()
