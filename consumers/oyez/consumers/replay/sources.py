"""Where stored events are read from: each source ends where it ended when it was opened."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from gzip import BadGzipFile
from typing import NamedTuple, Protocol

from oyez.producers.spool import Folder, Segments

from ..core.counted import several
from ..reports import Piece, pieces
from ..reports.spool_segments import followed


class Kept(NamedTuple):
    """A record as it was stored. ``topic`` is the one that it was stored for, if that is known."""

    where: str
    topic: str | None
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] | None = None


class Missing(NamedTuple):
    """Stands where records should be that are not there, or not any more; ``says`` how much, and where."""

    says: str


class Source(Protocol):
    """Stored records, which can be read several times: always the same ones, those of a key in their order."""

    def read(self, since: float | None) -> Iterator[Kept | Missing]:
        """The records. What is older than ``since``, in seconds since the epoch, may be left out."""


class SpoolSource:
    """What logs of the spool have now, archived segments too. What is archived meanwhile is read from there; what is
    removed meanwhile, or was not copied, is named."""

    def __init__(self, folders: Iterable[Folder]) -> None:
        self._ranges = {
            folder: (found[0].base, Segments(folder.path, folder.log_id).end())
            for folder in folders
            if (found := pieces(folder))
        }

    def read(self, since: float | None) -> Iterator[Kept | Missing]:
        """Log by log."""
        for folder, (begin, end) in self._ranges.items():
            position = begin
            found = [piece for piece in _there(folder) if piece.base < end]
            for piece, following in followed(found):
                upto = end if following is None else following.base
                if following is not None and _is_before(following, since):
                    position = upto
                    continue
                for begins, line in _whole_lines(piece, upto):
                    if begins > position and not _is_before(piece, since):
                        yield _missing(folder, position, begins)
                    yield Kept(f"{folder.path} at {begins}", folder.topic, line.removesuffix(b"\n"))
                    position = begins + len(line)
            if position < end:
                yield _missing(folder, position, end)


def _there(folder: Folder) -> list[Piece]:
    try:
        return pieces(folder)
    except FileNotFoundError:
        return []


def _is_before(piece: Piece, since: float | None) -> bool:
    """Whether all that stands before a segment is older."""
    return since is not None and piece.created < since - 1


def _whole_lines(piece: Piece, upto: int) -> Iterator[tuple[int, bytes]]:
    """Its lines before a position, each with its own. None that is cut off, and none after what cannot be read."""
    try:
        for position, line in piece.lines():
            if position >= upto or (position + len(line) != upto and not line.endswith(b"\n")):
                return
            yield position, line
    except (FileNotFoundError, EOFError, BadGzipFile, zlib.error):
        return


def _missing(folder: Folder, begin: int, end: int) -> Missing:
    return Missing(
        f"{folder.path}: {several(end - begin, 'byte')} from position {begin} on cannot be read: "
        f"not copied, removed or damaged"
    )


class LinesSource:
    """Events one a line, as `oyez spool cat` prints them."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = [(n, one.encode()) for n, one in enumerate(text.split("\n"), 1) if one.strip()]

    def read(self, since: float | None) -> Iterator[Kept]:
        """In their order."""
        for number, line in self._lines:
            yield Kept(f"{self._name}, line {number}", None, line)
