"""`oyez spool cat`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, NamedTuple

import typer

from oyez.producers.spool import Folder, LogReader, Segments

from ...core.numerals import number_of
from ...core.stop_signals import Stop
from ...reports import Piece, pieces
from ...reports.spool_segments import followed, time_of
from ...settings import ListenSettings
from ..common import output
from ..common.ages import moment_of
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
from ..common.options import settings_by
from ..common.stopping import exit_code
from .spool import Paths, folders_of

_LOOK = 0.2


class Begin(NamedTuple):
    """Where to begin: at a position, or with the first event that is not older than a time."""

    position: int = 0
    moment: datetime | None = None


@taking(settings_by())
def cat(
    *,
    paths: Paths = None,
    begin: Annotated[
        str, typer.Option("--from", metavar="POSITION|TIME|AGE", help="Begin there in each log.")
    ] = "0",
    segment: Annotated[
        str | None,
        typer.Option(
            "--segment", metavar="NAME", help="Print only this segment; the beginning of its name will do."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Print so many events of each log at most."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is appended, until SIGINT or SIGTERM.")
    ] = False,
    settings: ListenSettings,
) -> None:
    """Print the events in the spool as they are, one a line; archived segments too."""
    start = begin_of(begin, time.time())
    folders = folders_of(settings, paths)
    if follow and (segment is not None or limit is not None):
        raise UsageProblem("--follow goes on for ever: leave --segment and --limit out")
    chosen = [(folder, _chosen(pieces(folder), segment)) for folder in folders]
    if segment is not None and not any(found for _, found in chosen):
        raise NotFound(f"no segment begins with {segment}")
    ends = {folder: Segments(folder.path, folder.log_id).end() for folder in folders}
    for folder, found in chosen:
        lines = _lines(found, start, nobody if segment is not None else _saying(folder))
        for position, line in islice(lines, limit):
            if not follow or position < ends[folder]:
                output.json_line(_text(line))
    if follow:
        raise typer.Exit(_follow(ends))


def begin_of(text: str, now: float) -> Begin:
    """What `--from` means; ``now`` in seconds since the epoch. Raises `UsageProblem`."""
    if (position := number_of(text)) is not None:
        return Begin(position)
    moment = moment_of(text, now)
    if moment is None:
        raise UsageProblem(
            f"--from {text}: write a position, a time such as 2026-07-01T12:00:00Z, or an age such as 10m, 2h or 3d"
        )
    return Begin(0, datetime.fromtimestamp(moment, UTC))


def _chosen(found: Sequence[Piece], segment: str | None) -> list[Piece]:
    return [piece for piece in found if segment is None or piece.path.name.startswith(segment)]


def nobody(_end: int, _following: int) -> None:
    """Nobody is told what is missing: not all was to be printed."""


def _saying(folder: Folder) -> Callable[[int, int], None]:
    """Says what is missing in a log, on stderr: what is printed looks the same without it."""

    def say(end: int, following: int) -> None:
        output.note(f"{folder.path}: {following - end} bytes are missing at {end}; it goes on at {following}")

    return say


def _lines(
    found: Sequence[Piece], begin: Begin, missing: Callable[[int, int], None]
) -> Iterator[tuple[int, bytes]]:
    """Whole lines from there on. ``missing`` is told between which positions there are none."""
    waiting, end = begin.moment, None
    for piece, following in followed(found):
        if following is not None and _is_before(following, begin):
            continue
        if end is not None and end < piece.base:
            missing(end, piece.base)
        end = piece.base
        for position, line in piece.lines():
            end = position + len(line)
            if position < begin.position or not line.endswith(b"\n"):
                continue
            if waiting is not None:
                said = time_of(line)
                if said is None or said < waiting:
                    continue
                waiting = None
            yield position, line


def _is_before(following: Piece, begin: Begin) -> bool:
    """Whether all that is before a segment is before the beginning."""
    if begin.moment is not None:
        return following.created < begin.moment.timestamp() - 1
    return following.base <= begin.position


def _follow(ends: dict[Folder, int]) -> int:
    """Print what is appended after these positions, until a signal; returns the exit code."""
    stop = Stop()
    readers = {folder: LogReader(Segments(folder.path, folder.log_id)) for folder in ends}
    while not stop():
        quiet = True
        for folder, reader in readers.items():
            _, lines, ends[folder] = reader.read(ends[folder], 1_000)
            quiet = quiet and not lines
            for line in lines:
                output.json_line(_text(line))
        if quiet:
            stop.wait(_LOOK)
    return exit_code(stop.number)


def _text(line: bytes) -> str:
    return line.rstrip(b"\n").decode("utf-8", "backslashreplace")
