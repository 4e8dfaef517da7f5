"""Logs of the spool that the tests of this folder ship."""

from __future__ import annotations

import json
from pathlib import Path

from oyez.producers.spool import Folder, Segments, Writer, found_in
from oyez.producers.spool_shipping import Mark
from producers.kafka.failover.fakes import FakeBroker, event

DEEP = b'{"a":' + b"[" * 100_000
"""A line that is nested deeper than anybody reads."""


def never() -> bool:
    """Nobody says stop."""
    return False


def spooled(
    path: Path, count: int, *, topic: str = "t", size: int = 0, limit: int = 2_000, begin: int = 0
) -> Writer:
    """A log with so many events of one thread."""
    writer = Writer(path / topic, topic, fsync="never", segment_bytes=limit)
    for n in range(begin, begin + count):
        writer.append(event("a", n, size))
    return writer


def the_log(path: Path, topic: str = "t") -> Folder:
    return next(folder for folder in found_in([path], topic) if folder.topic == topic)


def marked(path: Path) -> int | None:
    return Mark(path / "t", the_log(path).log_id).read()


def end(path: Path) -> int:
    return Segments(path / "t", the_log(path).log_id).end()


def numbers(broker: FakeBroker) -> list[int]:
    return [json.loads(value)["n"] for _, value in broker.log]
