"""Whether a log of the spool is whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path

from oyez.producers.spool import Folder, SegmentName, SpoolError
from oyez.producers.spool_shipping import Mark
from oyez.producers.spool_shipping.lines import NoEvent, outgoing

from .spool_segments import Piece, pieces

_SUFFIXES = (".ndjson", ".ndjson.gz")
_ASIDE = "refused.ndjson"
_MOST = 20


@dataclass
class Verified:
    """What was looked at, and the ``problems`` that were found, the first twenty of each segment.

    ``torn``: bytes of a last line that is not finished. It was announced by nobody, and is no problem at the end of the
    log: the next event takes its place.
    """

    path: str
    topic: str
    log_id: str
    segments: int
    events: int
    bytes: int
    torn: int
    problems: list[str]


def verify(folder: Folder, advance: Callable[[int], None] = lambda _more: None) -> Verified:
    """Look at every byte of a log: the names, whether something is missing, and every line. ``advance`` is told how
    many more events were looked at."""
    found = pieces(folder)
    problems = [*_identity(folder.path), *_names(folder.path)]
    result = Verified(str(folder.path), folder.topic, folder.log_id, len(found), 0, 0, 0, problems)
    end = found[0].base if found else 0
    for piece in found:
        if piece.base != end:
            kind = "are missing" if piece.base > end else "stand in two segments"
            result.problems.append(f"{piece.path.name}: {abs(piece.base - end)} bytes before it {kind}")
        end = _look_through(piece, folder.topic, result, advance, is_last=piece is found[-1])
    _check_mark(folder, end - result.torn, result)
    return result


def _look_through(
    piece: Piece, topic: str, result: Verified, advance: Callable[[int], None], *, is_last: bool
) -> int:
    """Look at each line; returns the position after the last."""
    end, problems = piece.base, []
    try:
        for position, line in piece.lines():
            end = position + len(line)
            if not line.endswith(b"\n"):
                if is_last and not piece.archived:
                    result.torn = len(line)
                else:
                    problems.append(f"at {position}: the line is not finished, and another segment follows")
                continue
            result.events += 1
            advance(1)
            try:
                outgoing(topic, line)
            except NoEvent as error:
                problems.append(f"at {position}: {error}")
    except (OSError, EOFError, BadGzipFile, zlib.error) as error:
        problems.append(f"it cannot be read: {error}")
    result.bytes += end - piece.base
    if len(problems) > _MOST:
        problems[_MOST:] = [f"and {len(problems) - _MOST} more"]
    result.problems += [f"{piece.path.name}: {problem}" for problem in problems]
    return end


def _identity(directory: Path) -> list[str]:
    """Files that were copied together from elsewhere may have none."""
    try:
        Folder.open(directory)
    except FileNotFoundError:
        return []
    except (SpoolError, OSError) as error:
        return [str(error)]
    return []


def _names(directory: Path) -> list[str]:
    """Files that look like segments and are none."""
    return [
        f"{path.name}: this is no segment's name"
        for path in sorted(directory.iterdir())
        if path.name.endswith(_SUFFIXES) and path.name != _ASIDE
        if SegmentName.parse(path.name) is None and SegmentName.parse_archived(path.name) is None
    ]


def _check_mark(folder: Folder, end: int, result: Verified) -> None:
    mark = Mark(folder.path, folder.log_id)
    try:
        shipped = mark.read()
    except OSError as error:
        result.problems.append(f"{mark.path.name}: it cannot be read: {error.strerror}")
        return
    if shipped is not None and shipped > end:
        result.problems.append(f"{mark.path.name}: {shipped} was shipped, but the log ends at {end}")
