"""How much there is in a log of the spool, and how far it was shipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from oyez.producers.spool import Folder, Segments, found_in
from oyez.producers.spool_shipping import Mark, Troubles, count_refused

from .spool_segments import Piece, followed, pieces, time_of

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class SpoolState:
    """A log. ``first`` and ``last``: the times of its first and last event (aware, UTC); ``shipped``: everything before
    this position was acknowledged, None if nothing ever was; ``backlog`` and ``backlog_bytes``: what was not, in events
    and bytes; ``oldest``: the age of the oldest event of the backlog, in seconds; ``refused``: events that were put
    aside; ``error``: what stands in the way of shipping, since ``error_since``."""

    path: str
    topic: str
    log_id: str
    segments: int
    archived: int
    bytes: int
    first: datetime | None
    last: datetime | None
    shipped: int | None
    backlog: int
    backlog_bytes: int
    oldest: float | None
    refused: int
    error: str | None
    error_since: datetime | None


def state_of(folder: Folder, now: float) -> SpoolState:
    """The state of a log; ``now`` in seconds since the epoch. OSError: it cannot be read."""
    try:
        return _state(folder, now)
    except FileNotFoundError:  # a segment was archived or removed since they were listed
        return _state(folder, now)


def _state(folder: Folder, now: float) -> SpoolState:
    found = pieces(folder)
    plain = [piece for piece in found if not piece.archived]
    end = Segments(folder.path, folder.log_id).end()
    shipped = Mark(folder.path, folder.log_id).read()
    start = plain[0].base if plain else end
    begin = min(end, start if shipped is None else max(shipped, start))
    trouble = Troubles(folder.path, folder.log_id).read()
    oldest = _time_at(plain, begin) if begin < end else None
    return SpoolState(
        path=str(folder.path),
        topic=folder.topic,
        log_id=folder.log_id,
        segments=len(found),
        archived=len(found) - len(plain),
        bytes=sum(piece.path.stat().st_size for piece in found),
        first=_first(found),
        last=_last(found),
        shipped=shipped,
        backlog=_count(plain, begin, end),
        backlog_bytes=end - begin,
        oldest=None if oldest is None else max(0.0, now - oldest.timestamp()),
        refused=count_refused(folder.path, folder.log_id),
        error=trouble.error if trouble else None,
        error_since=datetime.fromtimestamp(trouble.since, UTC) if trouble else None,
    )


@dataclass(frozen=True)
class SpoolStates:
    """The logs below some folders. ``unreadable`` is what of them could not be read, a line each; ``left``: how many
    were not looked at."""

    states: Sequence[SpoolState]
    unreadable: Sequence[str]
    left: int


def states_below(roots: Iterable[Path], topic: str, now: float, most: int | None = None) -> SpoolStates:
    """The states of the logs below these folders, of the first ``most`` of them. What cannot be read is said, and holds
    up nothing else."""
    unreadable: list[str] = []
    folders = found_in(roots, topic, lambda error: unreadable.append(str(error)))
    found = states_of(folders[:most], now)
    said = dict.fromkeys([*unreadable, *found.unreadable])  # one folder may be below another
    return SpoolStates(found.states, [*said], len(folders) - len(folders[:most]))


def states_of(folders: Iterable[Folder], now: float) -> SpoolStates:
    """The same for these logs."""
    states: list[SpoolState] = []
    unreadable = []
    for folder in folders:
        try:
            states.append(state_of(folder, now))
        except OSError as error:
            unreadable.append(f"{error.filename or folder.path} cannot be read: {error.strerror}")
    return SpoolStates(states, unreadable, 0)


def _count(found: list[Piece], begin: int, end: int) -> int:
    """Lines between two positions."""
    count = 0
    for piece, following in followed(found):
        if following is not None and following.base <= begin:
            continue
        with piece.open() as file:
            position = max(begin, piece.base)
            file.seek(position - piece.base)
            while position < end and (block := file.read(min(_BLOCK, end - position))):
                count += block.count(b"\n")
                position += len(block)
    return count


def _time_at(found: list[Piece], position: int) -> datetime | None:
    piece = next(piece for piece in reversed(found) if piece.base <= position)
    with piece.open() as file:
        file.seek(position - piece.base)
        return time_of(file.readline())


def _first(found: list[Piece]) -> datetime | None:
    for piece in found:
        with piece.open() as file:
            line = file.readline()
        if line.endswith(b"\n"):
            return time_of(line)
    return None


def _last(found: list[Piece]) -> datetime | None:
    """Of the last whole line."""
    for piece in reversed(found):
        last = b""
        with piece.open() as file:
            if not piece.archived:
                file.seek(max(0, piece.path.stat().st_size - _BLOCK))
            for line in file:
                last = line if line.endswith(b"\n") else last
        if last:
            return time_of(last)
    return None
