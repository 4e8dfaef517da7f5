"""Where stored events are read from: each source ends where it ended when it was opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from oyez.producers.spool import Folder, Segments

from ..reports import pieces


class Kept(NamedTuple):
    """A record as it was stored. ``topic`` is the one that it was stored for, if that is known."""

    where: str
    topic: str | None
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] | None = None


class Source(Protocol):
    """Stored records, which can be read several times: always the same ones, those of a key in their order."""

    def read(self, since: float | None) -> Iterator[Kept]:
        """The records. What is older than ``since``, in seconds since the epoch, may be left out."""


class SpoolSource:
    """What logs of the spool have now, archived segments too."""

    def __init__(self, folders: Iterable[Folder]) -> None:
        self._ends = {folder: Segments(folder.path, folder.log_id).end() for folder in folders}

    def read(self, since: float | None) -> Iterator[Kept]:
        """Log by log."""
        for folder, end in self._ends.items():
            found = pieces(folder)
            for piece, following in zip(found, [*found[1:], None], strict=True):
                if since is not None and following is not None and following.created < since - 1:
                    continue
                for position, line in piece.lines():
                    if position >= end:
                        break
                    if line.endswith(b"\n"):
                        yield Kept(f"{folder.path} at {position}", folder.topic, line[:-1])


class LinesSource:
    """Events one a line, as `oyez spool cat` prints them."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = [(n, one.encode()) for n, one in enumerate(text.split("\n"), 1) if one.strip()]

    def read(self, since: float | None) -> Iterator[Kept]:
        """In their order."""
        for number, line in self._lines:
            yield Kept(f"{self._name}, line {number}", None, line)
