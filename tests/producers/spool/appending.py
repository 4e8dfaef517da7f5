"""Appending to a log of the spool, and what is in it then."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

from oyez.producers.spool import LogReader, SegmentName, Segments, Writer, found_in

FORK = multiprocessing.get_context("fork")


def record(who: object, n: int, size: int = 0) -> bytes:
    return json.dumps({"who": who, "n": n, "pad": "x" * size}).encode()


def lines_of(path: Path, at: int = 0) -> list[bytes]:
    """All that can be read of the one log below a path."""
    (folder,) = found_in([path], "t")
    reader, position, found = LogReader(Segments(folder.path, folder.log_id)), at, []
    while True:
        _, lines, position = reader.read(position, 7)
        if not lines:
            return found
        found.extend(lines)


def segments(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if SegmentName.parse(file.name))


def in_order(lines: list[bytes]) -> dict[Any, list[int]]:
    by_who: dict[Any, list[int]] = {}
    for line in lines:
        said = json.loads(line)
        by_who.setdefault(said["who"], []).append(said["n"])
    return by_who


def append_many(writer: Writer, who: object, count: int, size: int = 0) -> None:
    for n in range(count):
        writer.append(record(who, n, size))
