"""The spool: appending beside a bare loop of locked writes, reading beside a loop that reads and validates lines."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from accounts import Loop, Notes
from bed import Row
from pydantic import TypeAdapter
from signals import Viewed, encoded, views
from typing_extensions import TypedDict

from oyez.consumers import Application, Handlers
from oyez.consumers.database.positions import Partition
from oyez.consumers.execution.reader import Reader
from oyez.consumers.logs.spool.member import SpoolLog
from oyez.producers.spool import FSYNC, Writer, found_in

TOPIC = "bench"


class Envelope(TypedDict):
    id: str
    source: str
    data: Viewed


class Alone:
    """The one member of a group."""

    name = "bench"

    def all(self) -> list[str]:
        return [self.name]

    def leave(self) -> None: ...


def rows(count: int, turns: int) -> list[Row]:
    lines = [value for _, value in encoded(views(count))]
    appending = Row("spool: append, fsync never", "os.write of the same bytes under flock", 0.9)
    reading = Row("spool: read and decode", "read lines and validate them", 0.9)
    for _ in range(turns):
        with _folder() as folder:
            appending.turn(
                count,
                Loop(lambda: _append(folder, lines), lambda: _ids(folder / "ours", "*.ndjson")),
                Loop(lambda: _write(folder, lines), lambda: _ids(folder, "lines")),
            )
        with _folder() as folder:
            _append(folder, lines, "interval")  # on disk when it is closed: that is no part of reading
            (file,) = [one.path for one in found_in([folder], TOPIC)]
            notes = Notes()
            reading.turn(
                count,
                Loop(lambda: _read(folder, count, notes), notes.take),
                Loop(lambda: _validate(file, count, notes), notes.take),
            )
    return [appending, reading]


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="oyez-bench-"))
    try:
        yield folder
    finally:
        rmtree(folder)


def _ids(folder: Path, files: str) -> list[str]:
    """The ids of the events that are in them."""
    lines = [line for path in folder.rglob(files) for line in path.read_bytes().splitlines()]
    return [json.loads(line)["id"] for line in lines]


def _append(folder: Path, lines: list[bytes], fsync: FSYNC = "never") -> None:
    writer = Writer(folder / "ours", TOPIC, fsync=fsync)
    append = writer.append
    for line in lines:
        append(line)
    writer.close()


def _write(folder: Path, lines: list[bytes]) -> None:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    file = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for line in lines:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(file, line + b"\n")
        fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(file)
    os.close(lock)


def _read(folder: Path, count: int, notes: Notes) -> None:
    log = SpoolLog(lambda: found_in([folder], TOPIC), Alone())  # type: ignore[arg-type] # it asks nobody
    log.poll(1, 0)
    gained: list[Partition] = log.gained()
    log.start(dict.fromkeys(gained, 0))
    reader, seen = Reader(_group()), 0
    while seen < count:
        taken, refused = reader.read_all(log.poll(500, 0))
        assert not refused
        seen += len(taken.records)
        notes.numbers += [one.n for one in taken.data()]
    log.close()


def _group() -> Any:
    on = Handlers("bench")

    @on(Viewed)
    def see(view: Viewed) -> None: ...

    (group,) = Application(on).groups.values()
    return group


def _validate(folder: Path, count: int, notes: Notes) -> None:
    validate: Callable[[bytes], Envelope] = TypeAdapter(Envelope).validate_json
    kept: list[Envelope] = []
    for path in sorted(folder.glob("*.ndjson")):
        with path.open("rb") as file:
            for line in file:
                kept.append(validate(line))
                if len(kept) == 500:
                    notes.numbers += [one["data"].n for one in kept]
                    kept = []
    notes.numbers += [one["data"].n for one in kept]
