"""What is spooled since the broker is away is on disk once flush() returns: whoever flushes may tell others so."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from oyez.producers.errors import TransportRefused
from oyez.producers.spool import Writer
from producers.kafka.failover.failover_pipeline import FailoverPipeline


class Later(FailoverPipeline):
    """Its spool is forced to disk once an hour, or when somebody says so."""

    def _writer(self, path: Path, topic: str) -> Writer:
        return Writer(path, topic, interval=3_600.0)


@pytest.fixture
def pipeline(tmp_path: Path) -> FailoverPipeline:
    made = Later(tmp_path)
    assert made.announce()
    made.transport.flush(1)
    made.broker.is_up = False
    assert made.announce()
    made.be_silent()
    return made


def test_what_was_spooled_is_forced_to_disk(
    pipeline: FailoverPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[bytes] = []

    def fsync(file: int) -> None:
        forced.append(Path(f"/proc/self/fd/{file}").read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    assert pipeline.announce()
    pipeline.transport.flush(0.1)
    assert [lines.count(b"\n") for lines in forced] == [2]
    pipeline.transport.flush(0.1)
    assert len(forced) == 1, "nothing was spooled since"


def test_where_it_cannot_be_whoever_flushes_hears_of_it(
    pipeline: FailoverPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.fsync`: a disk that breaks."""

    def broken(_file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    assert pipeline.announce()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(TransportRefused, match="could not be forced to disk: Input/output error"):
            pipeline.transport.flush(0.1)
    pipeline.settle()
    pipeline.check()


def test_close_lets_go_of_all_the_same(pipeline: FailoverPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK of `os.fsync`, as above."""

    def broken(_file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    assert pipeline.announce()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(TransportRefused, match="could not be forced to disk"):
            pipeline.transport.close(0.1)
    with pytest.raises(TransportRefused, match="the transport is closed"):
        pipeline.transport.send("t", None, b"{}")
